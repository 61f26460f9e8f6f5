import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import picocolors from 'picocolors';
import { requestToken } from '../consumer/token-request.ts';
import { type Check, checkRotations, short } from './checks.ts';
import { type Environment, startEnvironment } from './environment.ts';
import { type Load, libraryConsumer, naiveConsumer, startLoad } from './load.ts';
import { fromLogLine, fromServiceEvent, type TimelineEntry } from './timeline.ts';

const usage = `Rotates the client secret of a simulated provider: a real Chromium, the real handler, the real AWS SDK.

  npm start -- [options]

  --rotations N   how many rotations, one after the other (1 to 100; default 1)
  --headed        watch the browser (needs a Chromium with a window: set CHROMIUM_PATH, and a display)
  --keep          leave everything running and print URLs and login, until Ctrl-C
  --help          this text

  AWS_ENDPOINT_URL   use Secrets Manager, SNS and SQS at this URL in place of the embedded ones
`;

const color = picocolors.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR);
const printed: string[] = [];

function print(line = ''): void {
  printed.push(line);
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;

  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort());
  const stopped = new Promise<never>((_resolve, reject) => {
    interrupted.signal.addEventListener('abort', () => reject(interrupted.signal.reason));
  });
  stopped.catch(() => undefined);

  const functionLines: string[] = [];
  const timeline = newTimeline();
  print('Starting; the first time, Chromium is unpacked.');
  const starting = startEnvironment({
    provider: { propagation: { oldDiesAfterMs: 1_200, newLivesAfterMs: 600 } },
    endpoint: process.env.AWS_ENDPOINT_URL,
    ...(options.headed && {
      environment: { CHROMIUM_PATH: process.env.CHROMIUM_PATH ?? '', DISPLAY: process.env.DISPLAY ?? '' },
    }),
    onLine: (line) => {
      functionLines.push(line);
      timeline(fromLogLine(line));
    },
  });
  try {
    const environment = await Promise.race([starting, stopped]);
    environment.service.onEvent((event) => timeline(fromServiceEvent(event)));
    printPlaces(environment);
    const consumers = startConsumers(environment, timeline, interrupted.signal);
    const rotating = rotateAndCheck(environment, options.rotations, functionLines, consumers);
    const checks = await Promise.race([rotating, stopped]);
    const ok = printChecks(checks);
    if (options.keep) {
      printLogin(environment);
      await stopped;
    }
    return ok ? 0 : 1;
  } catch (error) {
    if (interrupted.signal.aborted) return options.keep ? 0 : 130;
    print(`${color.red('failed')}  ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await starting.then(
      (environment) => environment.close(),
      () => undefined,
    );
  }
}

/** @returns the exit code, where there is nothing to run */
function readOptions(): { rotations: number; headed: boolean; keep: boolean } | number {
  try {
    const { values } = parseArgs({
      options: {
        rotations: { type: 'string', default: '1' },
        headed: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const rotations = Number(values.rotations);
    if (!Number.isInteger(rotations) || rotations < 1 || rotations > 100) {
      throw new Error(`--rotations is a whole number from 1 to 100, not ${values.rotations}`);
    }
    if (values.headed && !process.env.CHROMIUM_PATH) {
      throw new Error(
        '--headed needs a Chromium with a window (the one for Lambda has none): set CHROMIUM_PATH to one',
      );
    }
    return { rotations, headed: values.headed, keep: values.keep };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
}

async function rotateAndCheck(
  environment: Environment,
  count: number,
  functionLines: readonly string[],
  consumers: Consumers,
): Promise<Check[]> {
  const { provider } = environment;
  const clientSecrets = [provider.provider.issuedSecret()];
  const { client, tokenEndpoint } = provider;
  const before = await requestToken({
    tokenEndpoint,
    clientId: client.clientId,
    clientSecret: clientSecrets[0] ?? '',
    timeoutMs: 5_000,
  });
  const rotations: string[] = [];
  for (let number = 1; number <= count; number++) {
    const token = randomUUID();
    rotations.push(token);
    print();
    print(color.bold(`Rotation ${number} of ${count}, version ${short(token)}`));
    const outcome = await environment.rotate(token);
    clientSecrets.push(provider.provider.issuedSecret());
    print(outcome === 'succeeded' ? color.green('  succeeded') : color.red(`  ${outcome}`));
    await consumers.restartNaive();
  }
  const check = await consumers.stop();
  const checks = await checkRotations(environment, {
    rotations,
    clientSecrets,
    tokenOfBefore: before.verdict === 'accepted' ? before.accessToken : '',
    printed: [...functionLines, ...printed],
  });
  return [check, ...checks];
}

interface Consumers {
  /** As a person does it who sees that the rotation is over. */
  restartNaive(): Promise<void>;
  /** Prints what they had, and says whether the library held. */
  stop(): Promise<Check>;
}

/** Consumers under load: with the library, and a naive one beside them, whose failures are part of the timeline. */
function startConsumers(
  { provider: { apiUrl }, secretsManager: client, secrets }: Environment,
  timeline: (entry: TimelineEntry) => void,
  signal: AbortSignal,
): Consumers {
  const parts = { secretId: secrets.rotated, client, fetch };
  const common = { apiUrl, signal };
  const withLibrary = { ...common, newConsumer: () => libraryConsumer(parts) };
  const running = startLoad({ ...withLibrary, consumers: 10, callsPerSecond: 40 });
  const cold = startLoad({ ...withLibrary, consumers: 10, callsPerSecond: 5, consumerLifeMs: 0 });
  let failingSinceMs: number | undefined;
  let failedCalls = 0;
  const source = 'naive consumer';
  const naive: Load = startLoad({
    ...{ ...common, consumers: 1, callsPerSecond: 5 },
    newConsumer: () => naiveConsumer(parts, { secretMaxAgeMs: Number.POSITIVE_INFINITY, mintsForEachCall: true }),
    onCall(failure) {
      if (failure) failedCalls += 1;
      if (failure && failingSinceMs === undefined) {
        failingSinceMs = performance.now();
        timeline({ source, fact: 'fails', detail: failure.message });
      }
      if (failure || failingSinceMs === undefined) return;
      const seconds = ((performance.now() - failingSinceMs) / 1_000).toFixed(1);
      timeline({ source, fact: 'works again', detail: `restarted; ${failedCalls} failed calls in ${seconds} s` });
      failingSinceMs = undefined;
      failedCalls = 0;
    },
  });
  return {
    async restartNaive() {
      naive.restart();
      const untilMs = performance.now() + 3_000;
      while (failingSinceMs !== undefined && performance.now() < untilMs && !signal.aborted) await delay(20);
    },
    async stop() {
      const [tally, coldTally, naiveTally] = await Promise.all([running.stop(), cold.stop(), naive.stop()]);
      const failed = tally.failed + coldTally.failed;
      const line = (name: string, { calls, failed }: { calls: number; failed: number }, more: string) => {
        const counted = `${String(calls).padStart(5)} calls, ${failed} failed${more}`;
        print(`  ${name.padEnd(34)} ${failed > 0 ? color.red(counted) : color.green(counted)}`);
      };
      const slowest = `; the slowest took ${Math.round(coldTally.slowestColdStartMs)} ms`;
      const outage =
        naiveTally.failed === 0 ? '' : `; the longest outage ${(naiveTally.worstOutageMs / 1_000).toFixed(1)} s`;
      signal.throwIfAborted();
      print();
      print(color.bold('Consumers meanwhile'));
      line('with the library, 10 that run', tally, '');
      line('with the library, cold starts', coldTally, slowest);
      line('naive: secret in its environment', naiveTally, outage);
      const calls = tally.calls + coldTally.calls;
      return {
        name: 'consumers with the library',
        ok: failed === 0 && calls > 0,
        measured: `${failed} of ${calls} calls failed, ${coldTally.coldStarts} of them cold starts`,
      };
    },
  };
}

/** Prints a line per fact as it happens, with the time since the first. */
function newTimeline(): (entry: TimelineEntry | undefined) => void {
  const beganMs = performance.now();
  return (entry) => {
    if (!entry) return;
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(2).padStart(7);
    const fact = entry.fact.padEnd(17);
    print(
      `${color.dim(`${seconds} s`)}  ${entry.source.padEnd(15)}  ${entry.fact === 'press' || entry.fact === 'fails' ? color.red(fact) : color.bold(fact)}  ${entry.detail}`,
    );
  };
}

function printPlaces({ provider, urls }: Environment): void {
  print();
  print(`  portal           ${provider.developerToolsUrl}`);
  print(`  token endpoint   ${provider.tokenEndpoint}`);
  print(`  Secrets Manager  ${urls.secretsManager}`);
  print(`  SNS and SQS      ${urls.messaging}`);
}

const noLines = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((part) => [side + part, '']),
  ),
);

function printChecks(checks: readonly Check[]): boolean {
  const table = new Table({ chars: noLines, style: { 'padding-left': 1, 'padding-right': 1, head: [], border: [] } });
  for (const { ok, name, measured } of checks)
    table.push([ok ? color.green('ok') : color.red('FAILED'), name, measured]);
  print();
  print(table.toString());
  const failed = checks.filter(({ ok }) => !ok);
  print(
    failed.length === 0 ? color.green('All hold.') : color.red(`${failed.length} of ${checks.length} do not hold.`),
  );
  return failed.length === 0;
}

/** The simulated provider's login, for a person to look around; printed after the outputs were searched. */
function printLogin({ provider, secrets, topicArn }: Environment): void {
  print();
  print('Left running until Ctrl-C:');
  print(`  log in at        ${provider.loginUrl}`);
  print(`  e-mail           ${provider.login.username}`);
  print(`  password         ${provider.login.password}`);
  print(`  API              ${provider.apiUrl}`);
  print(`  rotated secret   ${secrets.rotated}`);
  print(`  topic            ${topicArn}`);
}

process.exitCode = await main();
