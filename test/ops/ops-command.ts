import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { TestEnvironment } from '../harness.ts';

const entry = fileURLToPath(new URL('../../ops/ops.ts', import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Operator {
  /** Runs `npm run ops -- args`; what it prints is searched for secrets at the end of the test. */
  ops(args: readonly string[], input?: string): Promise<Ended>;
  /** The same, still running; `said` resolves when its output matches. */
  start(args: readonly string[]): { child: ChildProcess; said(pattern: RegExp): Promise<void>; ended: Promise<Ended> };
}

/**
 * An operator's shell with nothing in it but credentials, a region and the endpoints.
 *
 * @param invoke the rotation function. Default: the environment's
 */
export async function operator(
  environment: TestEnvironment,
  invoke: (event: unknown) => Promise<unknown> = environment.fn.invoke,
): Promise<Operator> {
  const { urls, topicArn, printed } = environment;
  const fn = await startFunction(invoke, { ROTATION_TOPIC_ARN: topicArn }, printed);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    // Half of what a short process costs is compiling the SDK.
    NODE_COMPILE_CACHE: join(tmpdir(), 'ops-compile-cache'),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: urls.messaging,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: urls.secretsManager,
    AWS_ENDPOINT_URL_LAMBDA: fn,
    AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: fn,
  };
  const start: Operator['start'] = (args) => {
    const child = spawn(process.execPath, [entry, ...args], { env });
    onTestFinished(() => void child.kill('SIGKILL'));
    const texts = { stdout: '', stderr: '' };
    const changed = new EventTarget();
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => {
        texts[stream] += chunk;
        changed.dispatchEvent(new Event('output'));
      });
    }
    const ended = once(child, 'close').then(([code]): Ended => {
      printed.push(texts.stdout, texts.stderr);
      return { code, ...texts };
    });
    const said = async (pattern: RegExp) => {
      const died = ended.then((end) => {
        throw new Error(`ended without saying ${pattern}: ${JSON.stringify(end)}`);
      });
      died.catch(() => undefined);
      while (!pattern.test(texts.stdout + texts.stderr)) await Promise.race([once(changed, 'output'), died]);
    };
    return { child, said, ended };
  };
  return {
    start,
    async ops(args, input = '') {
      const { child, ended } = start(args);
      child.stdin?.end(input);
      return ended;
    },
  };
}

const LogGroup = '/aws/lambda/rotation';

/** The function's Invoke, GetFunctionConfiguration and FilterLogEvents on loopback. @see Lambda and CloudWatch Logs API references */
async function startFunction(
  invoke: (event: unknown) => Promise<unknown>,
  Variables: Record<string, string>,
  printed: readonly string[],
): Promise<string> {
  const server = createServer(async (request, response) => {
    const [, action = ''] =
      /^\/2015-03-31\/functions\/[^/]+\/(invocations|configuration)$/.exec(request.url ?? '') ?? [];
    const answer = (body: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (action === 'configuration') return answer({ Environment: { Variables }, LoggingConfig: { LogGroup } });
    const body = (await request.toArray()).join('');
    if (request.headers['x-amz-target'] === 'Logs_20140328.FilterLogEvents') {
      const { logGroupName, filterPattern, nextToken = '0', startTime } = JSON.parse(body) as Record<string, string>;
      const terms = /^\{ \(\$\.(\w+) = "([^"]+)"\) && \(\$\.(\w+) = "([^"]+)"\) \}$/.exec(filterPattern ?? '') ?? [];
      const found = logGroupName === LogGroup && terms.length > 0 ? printedWith(printed, terms, startTime) : [];
      // A page may be empty and yet not the last.
      const pages = [[], ...found.map((event) => [event])];
      const next = Number(nextToken) + 1;
      return answer({ events: pages[next - 1], ...(next < pages.length && { nextToken: `${next}` }) });
    }
    if (action !== 'invocations') return response.writeHead(404).end();
    try {
      answer((await invoke(JSON.parse(body))) ?? null);
    } catch (error) {
      const { name, message } = error as Error;
      answer({ errorType: name, errorMessage: message }, { 'x-amz-function-error': 'Unhandled' });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the function's log has for the filter that a command sends. */
function printedWith(printed: readonly string[], [, a = '', is, b = '', has]: readonly string[], since = '0') {
  return printed.flatMap((message) => {
    if (!/^\{.*"fact":.*\}$/.test(message)) return [];
    const line = JSON.parse(message) as Record<string, string>;
    const timestamp = Date.parse(line.timestamp ?? '');
    return line[a] === is && line[b] === has && timestamp >= Number(since) ? [{ message, timestamp }] : [];
  });
}

/** What --json printed. */
export function facts({ stdout }: Ended): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
