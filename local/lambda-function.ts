import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the process of an invocation gets from this one. */
export interface Order {
  event: unknown;
  requestId: string;
  timeoutMs: number;
}

/** What it answers, as Lambda does. @see Lambda developer guide, "Using the Lambda runtime API", invocation error */
export type Answer = { result: unknown } | { errorType: string; errorMessage: string; stackTrace: string[] };

export interface LambdaFunctionOptions {
  /** Nothing else of this process's environment reaches the function. */
  environment: Record<string, string>;
  /** Default: Lambda's most, 15 minutes. */
  timeoutMs?: number;
  /** Each line that an invocation prints. */
  onLine?: (line: string) => void;
}

export interface LambdaFunction {
  /** Runs the handler in a process of its own. Rejects with the function's error, or when the process dies or takes too long. */
  invoke(event: unknown, signal?: AbortSignal): Promise<unknown>;
  /** The processes that run now, for tests that kill them. */
  running: ReadonlySet<ChildProcess>;
  /** Kills what runs. */
  close(): Promise<void>;
}

const entry = fileURLToPath(new URL('function-process.ts', import.meta.url));

/** The rotation function as Lambda would run it: a process per invocation, an environment of its own. */
export function lambdaFunction({ environment, timeoutMs = 900_000, onLine }: LambdaFunctionOptions): LambdaFunction {
  const running = new Set<ChildProcess>();
  return {
    running,
    async invoke(event, signal) {
      signal?.throwIfAborted();
      // A group of its own, so that its browser can be ended with it.
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        detached: true,
      });
      running.add(child);
      const kill = () => killGroup(child);
      const timer = setTimeout(kill, timeoutMs);
      signal?.addEventListener('abort', kill);
      for (const stream of [child.stdout, child.stderr])
        if (stream) createInterface(stream).on('line', (line) => onLine?.(line));
      try {
        let answer: Answer | undefined;
        child.once('message', (message) => {
          answer = message as Answer;
        });
        const order: Order = { event, requestId: randomUUID(), timeoutMs };
        child.send(order);
        const [code, killedBy] = await once(child, 'close');
        if (!answer)
          throw new Error(`the function's process ended without an answer (${killedBy ?? `exit code ${code}`})`);
        if ('errorType' in answer)
          throw Object.assign(new Error(answer.errorMessage), {
            name: answer.errorType,
            stack: answer.stackTrace.join('\n'),
          });
        return answer.result;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', kill);
        running.delete(child);
      }
    },
    async close() {
      const ending = [...running].map(async (child) => {
        if (child.exitCode === null && child.signalCode === null) {
          const closed = once(child, 'close');
          killGroup(child);
          await closed;
        }
      });
      await Promise.all(ending);
    },
  };
}

/** The process and all that it started. */
export function killGroup(child: ChildProcess): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
