import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { processTree } from './process-tree.ts';

/** Who runs the function: where we are root, nobody; else we are somebody unprivileged already. */
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

export interface LambdaMachine {
  /** Where the asset belongs: `/var/task`. */
  task: string;
  /** Where the function may write: `/tmp`. */
  tmp: string;
  /** Starts nothing before the first event. @param handler as in a function's configuration, without dots in its path */
  function(
    handler: string,
    environment?: Record<string, string>,
    onLine?: (line: string) => void,
  ): Promise<LambdaRuntime>;
  remove(): void;
}

export interface LambdaRuntime {
  /** Starts the process and loads the handler. @returns how long that took; a process that runs already takes no time */
  init(): Promise<number>;
  /** Rejects with the function's error, or when its process dies. A process that died is replaced at the next event. */
  invoke(event: unknown): Promise<unknown>;
  /** The processes of the function and its browser, its own first. */
  processes(): number[];
  /** Ends all of them at once, as Lambda does. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Directories in which nothing is found but what is put there, for a user who may write to one of them only. */
export function lambdaMachine(): LambdaMachine {
  // Not the tests' own directory, which is for its owner alone.
  const directory = mkdtempSync('/tmp/lambda-');
  chmodSync(directory, 0o755);
  const [task, tmp, runtime] = ['task', 'tmp', 'runtime'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [task, tmp, runtime]) mkdirSync(path);
  if (nobody) chownSync(tmp, nobody.uid, nobody.gid);
  const node = join(runtime, 'node');
  try {
    linkSync(process.execPath, node);
  } catch {
    copyFileSync(process.execPath, node);
  }
  const source = readFileSync(fileURLToPath(new URL('bootstrap.ts', import.meta.url)), 'utf8');
  writeFileSync(join(runtime, 'bootstrap.mjs'), transformSync(source, { loader: 'ts' }).code);
  return {
    task,
    tmp,
    function: (handler, environment = {}, onLine = () => undefined) =>
      startRuntime({ task, tmp, runtime, handler, environment, onLine }),
    remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }),
  };
}

interface Invocation {
  id: string;
  event: unknown;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface RuntimeOptions {
  task: string;
  tmp: string;
  runtime: string;
  handler: string;
  environment: Record<string, string>;
  onLine(line: string): void;
}

/** @see Lambda developer guide, "Using the Lambda runtime API for custom runtimes" */
async function startRuntime({
  task,
  tmp,
  runtime,
  handler,
  environment,
  onLine,
}: RuntimeOptions): Promise<LambdaRuntime> {
  let child: ChildProcess | undefined;
  let waiting: ServerResponse | undefined;
  let current: Invocation | undefined;
  let ready = Promise.withResolvers<void>();

  const server = createServer(async (request, response) => {
    const [action = '', of = ''] = (request.url ?? '').split('/').reverse();
    const body = await text(request);
    if (action === 'next') {
      waiting = response;
      ready.resolve();
      return;
    }
    response.writeHead(202).end();
    if (action === 'response' && of === current?.id) current.resolve(JSON.parse(body));
    if (action !== 'error') return;
    const { errorType, errorMessage, stackTrace } = JSON.parse(body);
    const error = Object.assign(new Error(errorMessage), { name: errorType, stack: stackTrace.join('\n') });
    if (of === 'init') ready.reject(error);
    else if (of === current?.id) current.reject(error);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const api = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  function start(): ChildProcess {
    ready = Promise.withResolvers();
    ready.promise.catch(() => undefined);
    const started = spawn(join(runtime, 'node'), [join(runtime, 'bootstrap.mjs')], {
      cwd: task,
      // @see Lambda developer guide, "Defined runtime environment variables"; TMPDIR stands for /tmp
      env: {
        _HANDLER: handler,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_REGION: 'us-east-1',
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: 'rotate-client-secret',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '2048',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_RUNTIME_API: api,
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        LAMBDA_TASK_ROOT: task,
        LAMBDA_RUNTIME_DIR: runtime,
        LANG: 'en_US.UTF-8',
        LD_LIBRARY_PATH: '/lib64:/usr/lib64',
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TZ: ':UTC',
        TMPDIR: tmp,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...nobody,
    });
    for (const stream of [started.stdout, started.stderr]) createInterface(stream).on('line', onLine);
    started.once('close', (code, signal) => {
      const error = new Error(`the function's process ended without an answer (${signal ?? `exit code ${code}`})`);
      [child, waiting] = [undefined, undefined];
      ready.reject(error);
      current?.reject(error);
    });
    return started;
  }

  const fn: LambdaRuntime = {
    async init() {
      const beganMs = performance.now();
      child ??= start();
      await ready.promise;
      return performance.now() - beganMs;
    },
    async invoke(event) {
      await fn.init();
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      current = { id: randomUUID(), event, resolve, reject };
      waiting?.writeHead(200, {
        'Lambda-Runtime-Aws-Request-Id': current.id,
        'Lambda-Runtime-Deadline-Ms': Date.now() + 900_000,
        'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:us-east-1:000000000000:function:rotate-client-secret',
      });
      // The next event is not before the process asks for it.
      ready = Promise.withResolvers();
      ready.promise.catch(() => undefined);
      waiting?.end(JSON.stringify(event));
      return promise;
    },
    processes: () => (child?.pid ? processTree(child.pid) : []),
    async kill() {
      const closed = child && once(child, 'close');
      for (const id of fn.processes()) {
        try {
          process.kill(id, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
      await closed;
    },
    async close() {
      await fn.kill();
      server.closeAllConnections();
      server.close();
    },
  };
  return fn;
}
