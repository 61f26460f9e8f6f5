import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMessaging } from '../../local/messaging.ts';
import { startSecretsManager } from '../../local/secrets-manager.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'start-test-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** `npm start` as a person would run it, with its output in a pipe and a temporary directory of its own. */
function start(options: readonly string[], environment: Record<string, string> = {}) {
  const { AWS_ENDPOINT_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['local/start.ts', ...options], {
    env: { ...inherited, TMPDIR: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const closed = once(child, 'close').then(([code]) => code as number);
  const seen = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => pattern.test(output) && resolve();
      child.stdout.on('data', look);
      child.once('close', () => reject(new Error(`ended without ${pattern}:\n${output}`)));
      look();
    });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, closed, seen, output: () => output };
}

/** Processes whose environment names the directory: everything that was started, and what that started. */
function processesLeft(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(directory);
    } catch {
      return false;
    }
  });
}

/** What was killed is gone a moment later: nobody can wait for a child's children. */
const noProcessLeft = () => expect.poll(processesLeft).toEqual([]);

describe('npm start', () => {
  it('rotates twice and proves it, in plain lines, leaving nothing behind', async () => {
    const run = start(['--rotations', '2']);
    expect(await run.closed, run.output()).toBe(0);
    const output = run.output();
    for (const fact of [
      'login',
      'bridge-stored',
      'press',
      'stored',
      'tested',
      'moved',
      'published',
      'proved',
      'RotationSucceeded',
    ]) {
      expect(output.match(new RegExp(`  ${fact} `, 'g'))?.length, fact).toBeGreaterThanOrEqual(2);
    }
    expect(output).toContain('2 in 2 rotation(s)');
    expect(output).toContain('All hold.');
    expect(output).not.toContain('FAILED');
    expect(output).not.toContain('\u001b');
    expect(readdirSync(directory)).toEqual([]);
    await noProcessLeft();
  });

  it.each([
    ['while it starts', /Starting/],
    ['in the browser', /login/],
    ['around the press', /bridge-stored/],
    ['after the rotation', /succeeded/],
  ])('Ctrl-C %s leaves no process and no file behind', async (_when, pattern) => {
    const run = start([]);
    await run.seen(pattern);
    run.child.kill('SIGINT');
    expect(await run.closed).toBe(130);
    expect(readdirSync(directory)).toEqual([]);
    await noProcessLeft();
  });

  it('with --keep stays until Ctrl-C, with a login that works', async () => {
    const run = start(['--keep']);
    await run.seen(/topic {2,}arn/);
    const url = /log in at +(\S+)/.exec(run.output())?.[1] ?? '';
    expect((await fetch(url)).status).toBe(200);
    expect(run.output()).toMatch(/password +\S+/);
    run.child.kill('SIGINT');
    expect(await run.closed).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    [['--help'], 0, /npm start -- \[options\]/],
    [['--rotations', '0'], 2, /a whole number from 1 to 100, not 0/],
    [['--rotations', 'many'], 2, /a whole number from 1 to 100, not many/],
    [['--unknown'], 2, /--unknown/],
    [['--headed'], 2, /CHROMIUM_PATH/],
  ])('%j ends with exit code %i and says why', async (options, code, text) => {
    const run = start(options, { CHROMIUM_PATH: '' });
    expect(await run.closed).toBe(code);
    expect(run.output()).toMatch(text);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('uses Secrets Manager, SNS and SQS at AWS_ENDPOINT_URL, and leaves nothing there', async () => {
    const service = await startSecretsManager({ retries: 0 });
    const messaging = await startMessaging();
    const endpoint = await oneEndpoint(service.url, messaging.url);
    const run = start([], { AWS_ENDPOINT_URL: endpoint.url });
    expect(await run.closed, run.output()).toBe(0);
    expect(run.output()).toContain(`Secrets Manager  ${endpoint.url}`);
    expect(run.output()).toContain('All hold.');
    const operations = service.requests.map(({ operation }) => operation);
    expect(operations.filter((operation) => operation === 'CreateSecret')).toHaveLength(3);
    expect(operations.filter((operation) => operation === 'DeleteSecret')).toHaveLength(3);
    await Promise.all([endpoint.close(), service.close(), messaging.close()]);
  });

  it('says what is wrong with an endpoint that does not answer', async () => {
    const run = start([], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    expect(await run.closed).toBe(1);
    expect(run.output()).toMatch(/failed .*ECONNREFUSED/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** One URL for all services, as LocalStack has it: Secrets Manager is told by its header. */
async function oneEndpoint(secretsManagerUrl: string, messagingUrl: string) {
  const server = createServer((request, response) => {
    const target = request.headers['x-amz-target']?.toString().startsWith('secretsmanager.')
      ? secretsManagerUrl
      : messagingUrl;
    const forwarded = forward(
      target,
      { method: request.method, headers: request.headers, path: request.url },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
