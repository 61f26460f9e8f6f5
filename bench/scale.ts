/**
 * A changeover in an account with many consumers: what they send to Secrets Manager and to the token endpoint, second by second. Sources of the
 * consumer library itself, one for each consumer, on a clock of the simulation's; both services are modelled and answer at once. Writes
 * docs/scale.md with `--write`, and exits with 1 where more than 1 % of the consumers send something in one second.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import {
  type AccessTokenSource,
  type Clock,
  clientCredentialsTokens,
  secretsManagerCredentials,
} from '../consumer/index.ts';

const { values } = parseArgs({
  options: {
    consumers: { type: 'string', default: '100000' },
    secrets: { type: 'string', default: '1000' },
    write: { type: 'boolean', default: false },
  },
});
const consumers = Number(values.consumers);
const secrets = Number(values.secrets);
if (!Number.isInteger(consumers) || !Number.isInteger(secrets) || secrets < 1 || consumers < secrets) {
  throw new RangeError('--consumers and --secrets are whole numbers, no fewer consumers than secrets');
}

/** Of the consumers, in any second. */
const mostShare = 0.01;
/** Secrets Manager UG/reference_limits: GetSecretValue and DescribeSecret combined, by Region, charged to the caller's account. */
const readQuota = 10_000;
/** The same of PutSecretValue and UpdateSecretVersionStage; a rotation sends a put for its slot, and one to store. */
const writeQuota = 50;
const writesInPressSecond = 2;
/** USD. Secrets Manager's price list: a secret and month, and a call. */
const price = { secret: 0.4, call: 0.05 / 10_000 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What a run of the simulation is about. Ms, on a clock whose 0 is the press. */
interface Scenario {
  name: string;
  consumers: number;
  fromMs: number;
  toMs: number;
  /** Each consumer calls the API once in so long. */
  callEveryMs: number;
  /** How many of the secrets are pressed at 0. Those that are not never change. */
  secretsPressed: number;
  /** Whether every consumer gets every event, all in the same second. */
  events?: boolean;
  /** All consumers of before end, and as many start with nothing in memory, evenly from and to these instants. */
  deployed?: [fromMs: number, toMs: number];
  /** What the simulation steps by. */
  tickMs: number;
}

/** Requests in one second, and in all. */
interface Sent {
  reads: number;
  tokenRequests: number;
}

interface Outcome {
  scenario: Scenario;
  /** The busiest second from the changeover on: from a minute before the press. */
  most: Sent;
  total: Sent;
  /** Calls without a token. */
  failed: number;
}

/** One secret's changeover at its worst: neither client secret is accepted for all of the documented 30 s. */
const changeover = { startedAtMs: -2_000, pendingAtMs: 300, newLivesAtMs: 30_000, rotatedAtMs: 31_000 };
/** A token lives a day. */
const expires_in = dayMs / 1_000;

async function simulate(scenario: Scenario): Promise<Outcome> {
  const { fromMs, toMs, tickMs, callEveryMs, secretsPressed } = scenario;
  let nowMs = fromMs;
  let activity = 0;
  let failed = 0;
  const total: Sent = { reads: 0, tokenRequests: 0 };
  const bySecond = new Map<number, Sent>();
  const sent = (what: keyof Sent) => {
    activity += 1;
    total[what] += 1;
    const second = Math.floor(nowMs / 1_000);
    const counted = bySecond.get(second) ?? { reads: 0, tokenRequests: 0 };
    counted[what] += 1;
    bySecond.set(second, counted);
  };
  const due = new Map<number, (() => void)[]>();
  const at = (ms: number, act: () => void) => {
    const tick = Math.max(Math.ceil(ms / tickMs), Math.floor(nowMs / tickMs) + 1);
    const acts = due.get(tick);
    if (acts) acts.push(act);
    else due.set(tick, [act]);
  };
  // The wall clock begins somewhere.
  const epochMs = Date.parse('2030-01-01T00:00:00Z');
  const clock: Clock = {
    nowMs: () => epochMs + nowMs,
    // As a real one, it counts from some beginning.
    monotonicMs: () => nowMs - fromMs,
    random: Math.random,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        at(nowMs + ms, () => resolve(undefined));
      }),
  };

  function newSource(secret: number, firstLifeSeconds = expires_in): AccessTokenSource {
    let lifeSeconds = firstLifeSeconds;
    const isPressed = secret < secretsPressed;
    const json = (clientSecret: string) => ({
      VersionId: clientSecret,
      SecretString: JSON.stringify({
        ...{ client_id: 'client', client_secret: clientSecret, token_endpoint: 'https://tokens.example/' },
        bridge_secret_arn: 'bridge',
      }),
    });
    const notFound = Object.assign(new Error('none'), { name: 'ResourceNotFoundException' });
    const send = async ({ input: { SecretId, VersionStage } }: GetSecretValueCommand) => {
      sent('reads');
      if (SecretId === 'bridge') {
        if (!isPressed || nowMs < changeover.startedAtMs) throw notFound;
        const expires_at = new Date(epochMs + dayMs).toISOString();
        const bridge = { client_id: 'client', access_token: 'bridge', token_type: 'Bearer', expires_at };
        return {
          VersionId: 'bridge',
          SecretString: JSON.stringify({ ...bridge, armed_at: new Date(epochMs).toISOString() }),
        };
      }
      if (VersionStage === 'AWSCURRENT') return json(isPressed && nowMs >= changeover.rotatedAtMs ? 'new' : 'old');
      const isPending = isPressed && nowMs >= changeover.pendingAtMs && nowMs < changeover.rotatedAtMs;
      if (!isPending) throw notFound;
      return json('new');
    };
    return clientCredentialsTokens({
      clock,
      credentials: secretsManagerCredentials({ secretId: 'client', client: { send } as never, clock }),
      async fetch(_url, init) {
        sent('tokenRequests');
        const isNew = String(init?.body).includes('"client_secret":"new"');
        const isValid = !isPressed || (isNew ? nowMs >= changeover.newLivesAtMs : nowMs < 0);
        if (!isValid) return Response.json({ error: 'invalid_client' }, { status: 401 });
        const answer = { access_token: 'token', token_type: 'Bearer', expires_in: lifeSeconds };
        lifeSeconds = expires_in;
        return Response.json(answer);
      },
    });
  }

  const sources: AccessTokenSource[] = [];
  const call = (index: number) => {
    sources[index]?.getToken().catch(() => {
      failed += 1;
    });
    at(nowMs + callEveryMs, () => call(index));
  };
  for (let index = 0; index < scenario.consumers; index++) {
    const secret = index % secrets;
    // So that by the changeover there are tokens of every age up to that at which they are renewed.
    at(fromMs + Math.random() * callEveryMs, () => {
      sources[index] = newSource(secret, 600 + Math.random() * (expires_in - 600));
      call(index);
    });
    const [deployedFromMs, deployedToMs] = scenario.deployed ?? [];
    if (deployedFromMs !== undefined && deployedToMs !== undefined) {
      at(deployedFromMs + Math.random() * (deployedToMs - deployedFromMs), () => {
        sources[index] = newSource(secret);
        sources[index]?.getToken().catch(() => {
          failed += 1;
        });
      });
    }
  }
  if (scenario.events) {
    const pressed = () => sources.filter((_, index) => index % secrets < secretsPressed);
    at(changeover.startedAtMs, () => {
      for (const source of pressed()) void source.rotationStarted();
    });
    for (const changedAtMs of [changeover.pendingAtMs, changeover.rotatedAtMs]) {
      at(changedAtMs, () => {
        for (const source of pressed()) source.credentialsChanged('new');
      });
    }
  }

  const lastTick = Math.ceil(toMs / tickMs);
  for (let tick = Math.ceil(fromMs / tickMs); tick <= lastTick; tick++) {
    const acts = due.get(tick);
    if (!acts) continue;
    due.delete(tick);
    nowMs = tick * tickMs;
    for (const act of acts) act();
    // Until nobody sends anything more at this instant.
    for (let quiet = 0, before = -1; quiet < 3; quiet = before === activity ? quiet + 1 : 0) {
      before = activity;
      await new Promise(setImmediate);
    }
  }
  const most: Sent = { reads: 0, tokenRequests: 0 };
  for (const [second, counted] of bySecond) {
    if (second < -60) continue;
    most.reads = Math.max(most.reads, counted.reads);
    most.tokenRequests = Math.max(most.tokenRequests, counted.tokenRequests);
  }
  return { scenario, most, total, failed };
}

const minuteMs = 60_000;
const running = {
  ...{ consumers, fromMs: -90 * minuteMs, toMs: 15 * minuteMs, callEveryMs: 10 * minuteMs, tickMs: 500 },
  secretsPressed: secrets,
};
const scenarios: Scenario[] = [
  { ...running, name: 'one secret rotates, with events', secretsPressed: 1, events: true },
  { ...running, name: 'all secrets in the same second, no events' },
  { ...running, name: 'the same, with events, all delivered in one second', events: true },
  {
    ...running,
    name: 'the same, and every consumer calls once an hour only',
    events: true,
    fromMs: -3 * hourMs,
    callEveryMs: hourMs,
  },
  {
    ...running,
    name: 'all secrets, and all consumers start anew within 10 minutes',
    deployed: [-5 * minuteMs, 5 * minuteMs],
  },
];
const outcomes: Outcome[] = [];
for (const scenario of scenarios) {
  process.stderr.write(`${scenario.name}\n`);
  outcomes.push(await simulate(scenario));
}
process.stderr.write('a week without a rotation\n');
const sample = Math.min(consumers, 1_000);
const week = await simulate({
  ...{ ...running, name: 'a week', consumers: sample, fromMs: -7 * dayMs, toMs: -minuteMs },
  ...{ secretsPressed: 0, tickMs: minuteMs },
});

const mostReads = Math.max(...outcomes.map(({ most }) => most.reads));
const page = report();
process.stdout.write(page);
if (values.write) writeFileSync('docs/scale.md', page);
const herds = outcomes.filter(
  ({ most: { reads, tokenRequests } }) => Math.max(reads, tokenRequests) > consumers * mostShare,
);
for (const { scenario } of herds)
  process.stdout.write(`More than 1 % of the consumers in one second: ${scenario.name}\n`);
process.exitCode = herds.length === 0 ? 0 : 1;

function report(): string {
  const grouped = (number: number) => Math.round(number).toLocaleString('en-US');
  const share = (number: number) => `${grouped(number)} (${((100 * number) / consumers).toFixed(2)} %)`;
  const rows = outcomes.map(({ scenario: { name }, most, failed }) => {
    return `| ${name} | ${share(most.reads)} | ${share(most.tokenRequests)} | ${failed} |`;
  });
  const readsADay = week.total.reads / sample / 7;
  const readsAMonth = readsADay * 30 * consumers;
  const storedUsd = secrets * 3 * price.secret;
  const readUsd = readsAMonth * price.call;
  const writersFirst = (secrets * writesInPressSecond) / writeQuota > mostReads / readQuota;
  return `# Scale

${grouped(consumers)} consumers of ${grouped(secrets)} secrets in one account and Region, simulated second by second by \`node bench/scale.ts --write\`: sources of the
consumer library itself on a clock of the simulation's, beside models of both services that answer at once. Tokens live a day. The changeover is at its
worst: for all of the 30 s the provider accepts neither client secret.

## Requests in the busiest second

| at the changeover | to Secrets Manager | to the token endpoint | calls without a token |
| --- | --- | --- | --- |
${rows.join('\n')}

In brackets the share of consumers; no more than 1 % is wanted. Consumers call once in ten minutes where nothing else is said. Those that call have renewed
their token before, in the background, at a random instant between half and three fifths of its life; so when \`rotation-started\` arrives few have one to
renew. The rarer they call, the more: events to very many consumers that call seldom are better left out, since nothing depends on them.

## Cost in a month

| | |
| --- | --- |
| reads by a consumer in a day, over a week | ${readsADay.toFixed(2)} |
| ${grouped(readsAMonth)} reads at 0.05 USD for 10,000 | ${grouped(readUsd)} USD |
| ${grouped(secrets * 3)} secrets at 0.40 USD: each with its bridge secret and its login secret | ${grouped(storedUsd)} USD |
| in all | ${grouped(readUsd + storedUsd)} USD |

Prices: [AWS Secrets Manager pricing](https://aws.amazon.com/secrets-manager/pricing/), without KMS keys of your own, whose requests are charged too.

## The quota reached first

${writersFirst ? "Not one of the consumers'" : "One of the consumers'"}. \`PutSecretValue\` and \`UpdateSecretVersionStage\` together have ${writeQuota} a second by Region, and a rotation sends up to ${writesInPressSecond} of them in the
second of its press: ${Math.floor(writeQuota / writesInPressSecond)} presses in the same second reach it, so do not rotate all secrets at once. On schedules of their own, ${grouped(secrets)} secrets that rotate every
30 days make one rotation in ${((30 * 24 * 60) / secrets).toFixed(0)} minutes.

Of the consumers', \`GetSecretValue\` and \`DescribeSecret\` together: ${grouped(readQuota)} a second by Region. The busiest second above takes
${((100 * mostReads) / readQuota).toFixed(1)} % of it; ${grouped((consumers * readQuota) / mostReads)} consumers that behave like these would reach it. Neither can be raised; requests of another account are charged to that
one ([Secrets Manager user guide, quotas](https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html)).
`;
}
