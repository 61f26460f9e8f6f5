import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import picocolors from 'picocolors';
import { requestToken } from '../consumer/token-request.ts';
import { type Check, checkRotations, short } from './checks.ts';
import { type Environment, startEnvironment } from './environment.ts';
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
    const checks = await Promise.race([rotateAndCheck(environment, options.rotations, functionLines), stopped]);
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
  }
  return checkRotations(environment, {
    rotations,
    clientSecrets,
    tokenOfBefore: before.verdict === 'accepted' ? before.accessToken : '',
    printed: [...functionLines, ...printed],
  });
}

/** Prints a line per fact as it happens, with the time since the first. */
function newTimeline(): (entry: TimelineEntry | undefined) => void {
  const beganMs = performance.now();
  return (entry) => {
    if (!entry) return;
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(2).padStart(7);
    const fact = entry.fact.padEnd(17);
    print(
      `${color.dim(`${seconds} s`)}  ${entry.source.padEnd(15)}  ${entry.fact === 'press' ? color.red(fact) : color.bold(fact)}  ${entry.detail}`,
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
