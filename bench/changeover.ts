/**
 * The changeover, from the press to AWSPENDING being readable, beside a floor: the same portal request and the same PutSecretValue
 * without a browser. In one run, alternating, so that both meet the same machine. Prints, asserts nothing.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { CreateSecretCommand, DescribeSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import Table from 'cli-table3';
import { type Environment, startEnvironment } from '../local/environment.ts';
import { type RunningProvider, startProvider } from '../local/start-provider.ts';

/** The ratios to the floor that the changeover should keep to. */
const limits = { median: 1.3, p99: 2 };
/** As a real portal might take to answer. */
const provider = { portalResponseDelayMs: 300 };

const { values } = parseArgs({ options: { rotations: { type: 'string', default: '20' } } });
const rotations = Number(values.rotations);
if (!Number.isInteger(rotations) || rotations < 1 || rotations > 1_000) {
  throw new RangeError(`--rotations is a whole number from 1 to 1000, not ${values.rotations}`);
}

/** The facts that the function logged in the rotation that runs: when, and what it measured. */
const facts = new Map<string, { atMs: number; changeoverMs?: number }>();
const measured = { changeover: [] as number[], floor: [] as number[], ready: [] as number[], dialog: [] as number[] };
const environment = await startEnvironment({
  provider,
  portalProfile: { times: { propagationMs: 400, lateEffectMs: 400, secondLookMarginMs: 200 } },
  secretsManager: { retries: 0 },
  onLine(line) {
    if (!line.startsWith('{')) return;
    const { fact, timestamp, changeoverMs } = JSON.parse(line);
    facts.set(fact, { atMs: Date.parse(timestamp), changeoverMs });
  },
});
// Another portal like the first, so that the rotated secret does not drift.
const floorProvider = await startProvider(provider);
try {
  const floor = await startFloor(floorProvider, environment);
  for (let rotation = 1; rotation <= rotations; rotation++) {
    measured.floor.push(await floor());
    facts.clear();
    const outcome = await environment.rotate();
    const changeoverMs = facts.get('changeover')?.changeoverMs;
    if (outcome !== 'succeeded' || changeoverMs === undefined) throw new Error(`rotation ${rotation}: ${outcome}`);
    measured.changeover.push(changeoverMs);
    measured.ready.push(between('developer-tools', 'press'));
    measured.dialog.push(between('decided', 'dialog'));
    process.stderr.write(`\r${rotation} of ${rotations}`);
  }
  process.stderr.write('\n');
  report(measured);
} finally {
  await floorProvider.close();
  await environment.close();
}

function between(from: string, to: string): number {
  return (facts.get(to)?.atMs ?? Number.NaN) - (facts.get(from)?.atMs ?? Number.NaN);
}

/** Logs in once, by plain HTTP. @returns what takes one measurement, in ms */
async function startFloor(
  { login, developerToolsUrl, client }: RunningProvider,
  { secretsManager }: Environment,
): Promise<() => Promise<number>> {
  const origin = new URL(developerToolsUrl).origin;
  const body = new URLSearchParams({ username: login.username, password: login.password });
  const entered = await fetch(`${origin}/login`, { method: 'POST', body, headers: { origin }, redirect: 'manual' });
  const cookie = entered.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const { ARN: SecretId } = await secretsManager.send(new CreateSecretCommand({ Name: `floor-${randomUUID()}` }));
  return async () => {
    // The function's connections are warm too: it has just looked at both.
    const page = await (await fetch(developerToolsUrl, { headers: { cookie } })).text();
    const csrfToken = /"csrfToken":"([^"]+)"/.exec(page)?.[1] ?? '';
    await secretsManager.send(new DescribeSecretCommand({ SecretId }));
    const beganMs = performance.now();
    const headers = { cookie, origin, 'x-csrf-token': csrfToken };
    const answer = await fetch(`${developerToolsUrl}/rotate-secret`, { method: 'POST', headers });
    if (!answer.ok) throw new Error(`the floor's portal answered ${answer.status}`);
    const { client_secret } = (await answer.json()) as { client_secret: string };
    const SecretString = JSON.stringify({ client_id: client.clientId, client_secret });
    const VersionStages = ['AWSPENDING', 'ROTATED_DUE'];
    const ClientRequestToken = randomUUID();
    await secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages }));
    return performance.now() - beganMs;
  };
}
function report({ changeover, floor, ready, dialog }: typeof measured): void {
  const worst = rotations < 100 ? 'p99 (the longest)' : 'p99';
  const table = new Table({ head: ['ms', 'median', worst], style: { head: [], border: [] } });
  const row = (name: string, of: number[]) => [name, ...[0.5, 0.99].map((part) => Math.round(quantile(of, part)))];
  table.push(
    row('changeover: press to AWSPENDING', changeover),
    row('floor: the same requests, no browser', floor),
    row('page ready to press', ready),
    row('  of it, opening the dialog', dialog),
  );
  process.stdout.write(
    `${table}\n${rotations} rotations of each kind, the portal answering in ${provider.portalResponseDelayMs} ms\n`,
  );
  for (const [name, part] of [
    ['median', 0.5],
    ['p99', 0.99],
  ] as const) {
    const ratio = quantile(changeover, part) / quantile(floor, part);
    const verdict = ratio <= limits[name] ? 'met' : 'NOT met';
    process.stdout.write(`${name}: ${ratio.toFixed(2)} of the floor; at most ${limits[name]} is wanted: ${verdict}\n`);
  }
}

/** By nearest rank. */
function quantile(of: number[], part: number): number {
  return of.toSorted((a, b) => a - b)[Math.ceil(of.length * part) - 1] ?? Number.NaN;
}
