import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RotateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { rotatedDue } from '../lambda/rotation/labels.ts';
import { OpsError } from './failure.ts';
import { type Failure, failuresOf, logGroupOf } from './function-log.ts';
import { type Described, type Session, unfinished } from './session.ts';

export interface FollowOptions {
  /** For so long a rotation is followed. */
  waitMinutes: number;
}

const paused = 'Rotation is turned off for this secret, and this turns it on again: its schedule goes on.';

/** Starts a rotation, which presses, and follows it. @throws {OpsError} unconfirmed, trouble */
export async function rotate(session: Session, options: FollowOptions): Promise<void> {
  const description = await session.describe();
  assertConfigured(description);
  const { name, rotationEnabled, tags } = description;
  const preflight = tags.get('preflight') ?? 'never run';
  const warning = [
    `This rotates ${name}: the provider makes a new client secret, the one in use dies within half a minute, and nothing brings it back.`,
    `The last preflight: ${preflight}.${preflight === 'ok' ? '' : ' Run it first, and go on where it says that a rotation would succeed.'}`,
    ...(rotationEnabled ? [] : [paused]),
  ];
  await session.confirm(warning.join('\n'), name);
  await startAndFollow(session, randomUUID(), options);
}

/** Stores what the portal shows, by a rotation that never presses, and follows it. @throws {OpsError} unconfirmed, trouble */
export async function adopt(session: Session, options: FollowOptions): Promise<void> {
  const description = await session.describe();
  assertConfigured(description);
  const { name, rotationEnabled } = description;
  const pending = unfinished(description);
  // RotateSecret would take that one up in place of ours, and it may press.
  if (pending) {
    throw new OpsError('trouble', `the rotation ${pending} of ${name} is not finished`, 'let it end, or run doctor');
  }
  if (!rotationEnabled) await session.confirm(paused, name);
  await startAndFollow(session, `adopt-${randomUUID()}`, options);
}

/** Before anything is confirmed. */
function assertConfigured({ name, deletedAt, functionArn }: Described): void {
  if (deletedAt) throw new OpsError('trouble', `secret ${name} is scheduled for deletion`, 'run doctor');
  if (!functionArn) throw new OpsError('trouble', `no function was ever set to rotate ${name}`, 'deploy the stack');
}

/** @returns the ClientRequestToken of the rotation that goes on: the given one, or an unfinished one that is taken up again */
async function start(session: Session, token: string, before: Described): Promise<string> {
  const input = { SecretId: session.secretId(), ClientRequestToken: token };
  try {
    await session.secretsManager.send(new RotateSecretCommand(input));
    return token;
  } catch (error) {
    // The service says so, and takes the unfinished rotation up again. @see aws/aws-cdk#28539
    const resumed = unfinished(before);
    if (!resumed || !(error instanceof Error && /previous rotation/i.test(error.message))) throw error;
    session.say({ fact: 'resumed', version: resumed }, `An unfinished rotation is taken up again: ${resumed}`);
    return resumed;
  }
}

export type Progress = 'started' | 'stored' | 'moved' | 'finished' | 'given-up';

const told: Record<Progress, string> = {
  started: 'the function looks at the portal',
  stored: 'the provider’s client secret is AWSPENDING',
  moved: 'AWSCURRENT is the new version',
  finished: 'AWSCURRENT is proven, and consumers have been told',
  'given-up': 'AWSPENDING was taken off: nothing is lost, the portal shows the valid client secret',
};

/**
 * How far a rotation is, by the labels of its version alone.
 *
 * @param rotatedSince the service says that a rotation has succeeded since this one started; some leave AWSPENDING on AWSCURRENT's
 *   version. @see rotation-lambdas#168
 */
export function progressOf(labels: readonly string[], rotatedSince: boolean): Progress {
  const [current, pending, due] = ['AWSCURRENT', 'AWSPENDING', rotatedDue].map((label) => labels.includes(label));
  if (current) return due || (pending && !rotatedSince) ? 'moved' : 'finished';
  if (pending) return due ? 'stored' : 'started';
  return labels.includes('AWSPREVIOUS') ? 'finished' : 'given-up';
}

/** Between two looks at the labels. */
const pollMs = 1_000;

/** Between two looks at the function's log, and for how long it may be behind the labels. */
const [logPollMs, logLagMs] = [5_000, 6_000];

/** A read may lag a write: only after this a rotation that was never seen is one that was given up. */
const unseenMs = 30_000;

/**
 * Has Secrets Manager rotate under this ClientRequestToken, and says each change until the rotation has ended.
 *
 * @throws {OpsError} trouble, where it does not succeed in time
 */
export async function startAndFollow(
  session: Session,
  newToken: string,
  { waitMinutes }: FollowOptions,
): Promise<void> {
  const before = await session.describe();
  const [startedAt, startedAtMs] = [new Date(), performance.now()];
  const token = await start(session, newToken, before);
  session.say({ fact: 'following', version: token }, `Rotation ${token}. Ctrl-C ends this report, not the rotation.`);
  let last: Progress | undefined;
  let givenUpAtMs: number | undefined;
  const failures = newFailures(session, token, startedAt);
  for (;;) {
    const seen = await session.describe();
    const elapsedMs = performance.now() - startedAtMs;
    const labels = seen.labels.get(token) ?? [];
    const rotatedSince = seen.lastRotatedAt?.getTime() !== before.lastRotatedAt?.getTime();
    const progress = last || labels.length > 0 || elapsedMs > unseenMs ? progressOf(labels, rotatedSince) : undefined;
    const seconds = (elapsedMs / 1000).toFixed(1);
    const tell = (fact: string, text: string, detail = {}) =>
      session.say(
        { fact, version: token, elapsed_seconds: Number(seconds), ...detail },
        `${seconds.padStart(7)} s  ${fact.padEnd(8)}  ${text}`,
      );
    for (const { step, error } of await failures(elapsedMs)) {
      tell('failed', `${step}: ${error.message}`, { step, error });
      // Secrets Manager goes on trying all the same.
      if (error.retryable) continue;
      const isSettled = error.category === 'concurrency';
      const end = isSettled ? 'the rotation had nothing to do' : `${step} failed, and no retry mends that`;
      throw new OpsError('trouble', end, error.action);
    }
    if (progress && progress !== last) {
      last = progress;
      tell(progress, told[progress]);
    }
    if (progress === 'finished') return;
    if (progress === 'given-up') givenUpAtMs ??= elapsedMs;
    if (givenUpAtMs !== undefined && elapsedMs - givenUpAtMs > logLagMs) {
      throw new OpsError(
        'trouble',
        'the rotation was given up',
        'its rotation-failed event and the function’s log say why; run preflight',
      );
    }
    if (seen.tags.get('login-refused') !== before.tags.get('login-refused')) {
      throw new OpsError(
        'trouble',
        'the portal refused the login',
        'log in by hand, then store the login that works: init --only login',
      );
    }
    if (elapsedMs > waitMinutes * 60_000) {
      throw new OpsError(
        'trouble',
        `not finished after ${waitMinutes} minutes; Secrets Manager may go on trying`,
        'read the function’s log, and run doctor later',
      );
    }
    await sleep(pollMs);
  }
}

/** Asks for the failures that were not told yet; where the log cannot be read there are none. */
function newFailures(session: Session, token: string, since: Date) {
  let group: string | undefined;
  const read = async () => {
    group ??= await logGroupOf(session);
    return failuresOf(session, group, token, since);
  };
  let toldCount = 0;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  return async (elapsedMs: number): Promise<Failure[]> => {
    if (elapsedMs - lookedAtMs < logPollMs) return [];
    lookedAtMs = elapsedMs;
    const all = await read().catch(() => []);
    const fresh = all.slice(toldCount);
    toldCount = all.length;
    return fresh;
  };
}
