import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type Environment, startEnvironment } from '../../local/environment.ts';
import { killGroup } from '../../local/lambda-function.ts';
import type { Tally } from '../../local/load.ts';
import type { Propagation } from '../../local/provider.ts';

/** How consumers get their tokens, in the order of the table. */
export const strategies = {
  environment: '(a) secret in the environment, restarted on the event',
  cached: '(b) secret cached for an hour',
  'each-token': '(c) secret read for every token',
  'when-rejected': '(d) secret read again when it is rejected',
  library: '(e) this library, no events',
  'library-and-events': '(f) this library, with events',
  'cold-starts': 'cold starts with this library',
} as const;

export type Strategy = keyof typeof strategies;

/** What the process of a strategy gets. */
export interface Order {
  strategy: Strategy;
  apiUrl: string;
  secretsManagerUrl: string;
  messagingUrl: string;
  secretId: string;
  /** Where the strategy wants events. */
  queueUrl?: string;
  consumers: number;
  callsPerSecond: number;
  consumerLifeMs: number;
  /** An hour of a time in which a token's life is a day. */
  hourMs: number;
  rotationWait: number;
}

/** What it answers. */
export interface Report extends Tally {
  secretReads: number;
  tokensMinted: number;
}

export interface Setting {
  name: string;
  /** Of the portal profile's default times: 30 s of propagation, and so on. */
  factor: number;
  rotations: number;
  tokenLifeSeconds: number;
  /** Before the first rotation, so that it meets tokens of several ages. */
  warmUpSeconds: number;
  /** Of each strategy, at least. */
  calls: number;
  /** What a rotation is expected to take, so that the calls are spread over all of them. */
  expectedRotationSeconds: number;
  /** The function is killed in every so many rotations, alternately before and after the press. 0: never. */
  killEvery: number;
  consumers: number;
  /** How long the library's consumers wait in a changeover, in ms. */
  rotationWait: number;
  onProgress?: (text: string) => void;
}

export interface Measured {
  setting: Setting;
  seconds: number;
  /** When the provider was pressed, ms since 1970. */
  pressesAt: number[];
  outcomes: string[];
  kills: number;
  reports: Record<Strategy, Report>;
}

const coldStartsPerSecond = 2;
const processEntry = fileURLToPath(new URL('../availability-consumer.ts', import.meta.url));

/** Rotates again and again while the consumers of each strategy, a process for each, call the API. */
export async function measure(setting: Setting): Promise<Measured> {
  const { factor, rotations, tokenLifeSeconds, killEvery, onProgress } = setting;
  let propagation: Propagation = { oldDiesAfterMs: 0, newLivesAfterMs: 0 };
  let killAt: 'slot' | 'press' | undefined;
  let kills = 0;
  const killIf = (point: typeof killAt) => {
    if (killAt !== point) return;
    killAt = undefined;
    kills += 1;
    for (const child of environment.fn.running) killGroup(child);
  };
  const environment = await startEnvironment({
    provider: {
      tokenLifetimeSeconds: tokenLifeSeconds,
      portalResponseDelayMs: 300,
      get propagation() {
        return propagation;
      },
    },
    portalProfile: {
      times: {
        propagationMs: 30_000 * factor,
        lateEffectMs: 60_000 * factor,
        secondLookMarginMs: 10_000 * factor,
      },
    },
    secretsManager: { retries: 10 },
    onLine: (line) => {
      if (line.includes('"fact":"bridge-stored"')) killIf('slot');
    },
  });
  const processes = new Map<Strategy, ChildProcess>();
  try {
    environment.service.onEvent(({ type, reason }) => {
      if (type === 'RotationFailed') onProgress?.(`${setting.name}: ${reason}`);
    });
    const pressesAt: number[] = [];
    environment.provider.provider.onFact(({ fact }) => {
      if (fact !== 'press') return;
      pressesAt.push(Date.now());
      killIf('press');
    });
    const names = Object.keys(strategies) as Strategy[];
    const started = names.map(async (strategy) => {
      const child = fork(processEntry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      processes.set(strategy, child);
      await startConsumers(child, strategy, environment, setting);
    });
    await Promise.all(started);
    const beganMs = performance.now();
    const outcomes: string[] = [];
    await delay(setting.warmUpSeconds * 1_000);
    for (let number = 0; number < rotations; number++) {
      propagation = propagations[number % propagations.length]?.(30_000 * factor) ?? propagation;
      const isKilled = killEvery > 0 && number % killEvery === killEvery - 1;
      killAt = isKilled ? (number % (2 * killEvery) === killEvery - 1 ? 'press' : 'slot') : undefined;
      outcomes.push(await rotate(environment));
      onProgress?.(`${setting.name}: rotation ${number + 1} of ${rotations} ${outcomes.at(-1)}`);
    }
    const spentMs = performance.now() - beganMs;
    await delay(Math.max(0, (setting.calls / callsPerSecond(setting)) * 1_000 - spentMs));
    const seconds = (performance.now() - beganMs) / 1_000;
    const reports = await Promise.all(
      names.map(async (name) => [name, await stopProcess(processes.get(name))] as const),
    );
    return {
      setting,
      seconds,
      pressesAt,
      outcomes,
      kills,
      reports: Object.fromEntries(reports) as Measured['reports'],
    };
  } finally {
    for (const child of processes.values()) child.kill('SIGKILL');
    await environment.close();
  }
}

/** All four of what may be in the time of propagation: both work, only the old, only the new, neither; with delays up to the longest. */
const propagations: readonly ((longestMs: number) => Propagation)[] = [
  (longestMs) => ({ oldDiesAfterMs: 0, newLivesAfterMs: longestMs * (0.5 + Math.random() / 2) }),
  (longestMs) => ({ oldDiesAfterMs: longestMs * (0.5 + Math.random() / 2), newLivesAfterMs: 0 }),
  () => ({ oldDiesAfterMs: 0, newLivesAfterMs: 0 }),
  (longestMs) => {
    const delayMs = longestMs * Math.random();
    return { oldDiesAfterMs: delayMs, newLivesAfterMs: delayMs };
  },
  (longestMs) => ({ oldDiesAfterMs: 0, newLivesAfterMs: longestMs }),
];

async function rotate(environment: Environment): Promise<string> {
  try {
    return await environment.rotate();
  } catch (error) {
    // One that failed is taken up again where another is asked for.
    if ((error as Error).name !== 'InvalidRequestException') throw error;
    return environment.service.rotationSettled(environment.secrets.rotated);
  }
}

function callsPerSecond({ calls, rotations, expectedRotationSeconds }: Setting): number {
  return Math.ceil((calls * 1.05) / (rotations * expectedRotationSeconds));
}

async function startConsumers(
  child: ChildProcess,
  strategy: Strategy,
  environment: Environment,
  setting: Setting,
): Promise<void> {
  const { tokenLifeSeconds, rotationWait } = setting;
  const isCold = strategy === 'cold-starts';
  const wantsEvents = strategy === 'environment' || strategy === 'library-and-events';
  const order: Order = {
    strategy,
    apiUrl: environment.provider.apiUrl,
    secretsManagerUrl: environment.urls.secretsManager,
    messagingUrl: environment.urls.messaging,
    secretId: environment.secrets.rotated,
    ...(wantsEvents && { queueUrl: await subscribe(environment, strategy) }),
    // Each has one call at a time, and a cold start may wait: enough of them that the others go on.
    consumers: isCold ? coldStartsPerSecond * 10 : setting.consumers,
    // A call that finds the machine busy comes late: a little faster than is wanted.
    callsPerSecond: isCold ? coldStartsPerSecond : 1.03 * callsPerSecond(setting),
    consumerLifeMs: isCold ? 0 : tokenLifeSeconds * 1_000 * 2,
    hourMs: (tokenLifeSeconds * 1_000) / 24,
    rotationWait,
  };
  // On a machine with few cores the services, which are this process, must not starve behind those who call them.
  if (child.pid) setPriority(child.pid, 10);
  child.send(order);
  await answerOf(child);
}

async function stopProcess(child: ChildProcess | undefined): Promise<Report> {
  if (!child?.connected) throw new Error('a process of consumers has ended before its time');
  child.send('stop');
  return (await answerOf(child)) as Report;
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`a process of consumers ended: ${code}`)),
  );
  ended.catch(() => undefined);
  const [answer] = await Promise.race([once(child, 'message'), ended]);
  return answer;
}

/** A queue of its own. @returns its URL */
async function subscribe({ sns, sqs, topicArn }: Environment, name: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const subscription = { TopicArn: topicArn, Protocol: 'sqs', Endpoint: Attributes?.QueueArn };
  await sns.send(new SubscribeCommand({ ...subscription, Attributes: { RawMessageDelivery: 'true' } }));
  return QueueUrl;
}
