import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  assertRoomFor,
  attach,
  holderOf,
  invalidRequest,
  pendingVersion,
  type Secret,
} from './secrets-manager-versions.ts';

/**
 * What Secrets Manager does between RotateSecret and the end of a rotation. The schedule itself is not kept.
 *
 * - rotate: a version with AWSPENDING and no value, then the four steps, the whole again after a failure
 * - failed: AWSPENDING stays where it is; the next RotateSecret is refused, and takes this rotation up again
 * - abandoned: a version was made by hand, CancelRotateSecret or DeleteSecret was called; the running step ends, no other starts
 * - test (`RotateImmediately: false`): testSecret alone, on a copy of AWSCURRENT that is removed afterwards
 *
 * @see Secrets Manager UG/rotate-secrets_lambda, UG/troubleshoot_rotation, UG/retrieve-ct-entries; API reference, RotateSecret
 */

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** The rotation function's event. `RotationToken` is sensitive. @see UG/rotate-secrets_lambda */
export type RotationInvocation = {
  Step: (typeof STEPS)[number];
  SecretId: string;
  ClientRequestToken: string;
  RotationToken: string;
};

export type RotationOutcome = 'succeeded' | 'failed' | 'abandoned';

/** Names as in UG/retrieve-ct-entries ("AWS Service Event via CloudTrail"); `reason` is the function's last error message. */
export type ServiceEvent = {
  type: 'RotationStarted' | 'RotationSucceeded' | 'RotationFailed' | 'RotationAbandoned' | 'TestRotationFailed';
  secretArn: string;
  versionId: string;
  at: Date;
  reason?: string;
};

export type RotationOptions = {
  /** Runs the rotation function; rejects when it fails. `signal` aborts when the service closes. */
  invoke?: (event: RotationInvocation, signal: AbortSignal) => Promise<unknown>;
  /** How often a failed rotation is run again as a whole. Default 4; the service's own count is not documented. */
  retries?: number;
  /** Pause before each of these. Default 1,000. */
  retryDelayMs?: number;
  /** Leave AWSPENDING on AWSCURRENT's version, as aws-samples/aws-secrets-manager-rotation-lambdas#168 reports. */
  leavesPendingBehind?: boolean;
};

/** One run of the function's steps. */
type Drive = {
  readonly token: string;
  readonly settled: Promise<RotationOutcome>;
  running: boolean;
  abandoned: boolean;
};

/** Drives rotations; `changed` is called after each change to a secret. */
export function startRotations(options: RotationOptions & { now: () => Date; changed: (secret: Secret) => void }) {
  const { invoke, retries = 4, retryDelayMs = 1_000, leavesPendingBehind = false, now, changed } = options;
  const drives = new Map<Secret, Drive>();
  /** RotationToken to the ClientRequestToken that it was given out for. */
  const issued = new Map<string, string>();
  const listeners = new Set<(event: ServiceEvent) => void>();
  const closing = new AbortController();
  const closed = new Promise<never>((_, reject) => closing.signal.addEventListener('abort', reject));
  closed.catch(() => {});

  function emit(type: ServiceEvent['type'], secret: Secret, versionId: string, error?: unknown): void {
    const reason = error instanceof Error ? { reason: error.message } : {};
    for (const listener of listeners) listener({ type, secretArn: secret.arn, versionId, at: now(), ...reason });
  }

  async function step(secret: Secret, drive: Drive, name: RotationInvocation['Step']): Promise<void> {
    if (drive.abandoned) return;
    if (!invoke) throw new Error('No rotation function is connected.');
    const RotationToken = randomUUID();
    issued.set(RotationToken, drive.token);
    const event = { Step: name, SecretId: secret.arn, ClientRequestToken: drive.token, RotationToken };
    await Promise.race([invoke(event, closing.signal), closed]);
  }

  async function allSteps(secret: Secret, drive: Drive): Promise<void> {
    for (const name of STEPS) {
      if (secret.versions.get(drive.token)?.ofRotation === false) {
        throw new Error(
          `Pending secret version ${drive.token} for Secret ${secret.arn} was not created by Lambda ${secret.rotation?.lambdaArn}. Remove the AWSPENDING staging label and restart rotation.`,
        );
      }
      await step(secret, drive, name);
    }
    // RotateSecret: a finished rotation leaves AWSPENDING with AWSCURRENT or nowhere.
    if (!drive.abandoned && pendingVersion(secret)) throw new Error('After finishSecret AWSPENDING is not AWSCURRENT.');
  }

  async function rotate(secret: Secret, drive: Drive): Promise<RotationOutcome> {
    emit('RotationStarted', secret, drive.token);
    for (let attempt = 0; ; attempt += 1) {
      try {
        await allSteps(secret, drive);
        break;
      } catch (error) {
        if (drive.abandoned) break;
        if (attempt >= retries) {
          emit('RotationFailed', secret, drive.token, error);
          return 'failed';
        }
        await delay(retryDelayMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
    if (drive.abandoned) return 'abandoned';
    if (!leavesPendingBehind) holderOf(secret, 'AWSPENDING')?.stages.delete('AWSPENDING');
    if (secret.rotation) secret.rotation.lastRotatedAt = now();
    schedule(secret);
    changed(secret);
    emit('RotationSucceeded', secret, drive.token);
    return 'succeeded';
  }

  async function test(secret: Secret, drive: Drive): Promise<RotationOutcome> {
    try {
      await step(secret, drive, 'testSecret');
      return drive.abandoned ? 'abandoned' : 'succeeded';
    } catch (error) {
      if (drive.abandoned) return 'abandoned';
      emit('TestRotationFailed', secret, drive.token, error);
      return 'failed';
    } finally {
      secret.versions.delete(drive.token);
      changed(secret);
    }
  }

  function start(secret: Secret, token: string, run: typeof rotate): void {
    stop(secret);
    const { promise: settled, resolve } = Promise.withResolvers<RotationOutcome>();
    const drive: Drive = { token, settled, running: true, abandoned: false };
    drives.set(secret, drive);
    // Not before the answer to RotateSecret is on its way: rotation is asynchronous.
    setImmediate(async () => {
      const outcome = await run(secret, drive);
      drive.running = false;
      resolve(outcome);
    });
  }

  /** "The next rotation is scheduled to occur on or before this date" (DescribeSecret); a cron expression gives none here. */
  function schedule(secret: Secret): void {
    const { rotation } = secret;
    if (!rotation?.enabled) return;
    rotation.nextRotationAt = rotation.intervalMs ? new Date(now().getTime() + rotation.intervalMs) : undefined;
  }

  /** No further step; labels stay as they are. @see CancelRotateSecret */
  function stop(secret: Secret): void {
    const drive = drives.get(secret);
    if (drive) drive.abandoned = true;
  }

  return {
    schedule,
    stop,

    /**
     * Refuses while AWSPENDING sits elsewhere than AWSCURRENT, and takes that rotation up again under its own token.
     * A cancelled one is not: its AWSPENDING must be removed first (CancelRotateSecret).
     */
    refuseWhileIncomplete(secret: Secret, token: string): void {
      const pending = pendingVersion(secret);
      if (!pending) return;
      const drive = drives.get(secret);
      const running = drive?.running === true && !drive.abandoned;
      if (running && pending.id === token) return;
      if (!running && secret.rotation?.enabled) start(secret, pending.id, rotate);
      throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
    },

    /** Makes the pending version and starts the drive; a token that names a version already starts nothing. */
    begin(secret: Secret, token: string, immediately: boolean): void {
      if (secret.versions.has(token)) return;
      const value = immediately ? undefined : holderOf(secret, 'AWSCURRENT')?.value;
      const version = {
        id: token,
        createdAt: now(),
        stages: new Set<string>(),
        ofRotation: true,
        ...(value && { value }),
      };
      assertRoomFor(secret, ['AWSPENDING']);
      attach(secret, 'AWSPENDING', version);
      secret.versions.set(token, version);
      start(secret, token, immediately ? rotate : test);
    },

    /** Whether a put comes from the rotation function; without IAM to tell, whatever uses the token of a running rotation. */
    isFunction(secret: Secret, token: string, rotationToken = ''): boolean {
      const drive = drives.get(secret);
      return (drive?.token === token && drive.running) || issued.get(rotationToken) === token;
    },

    /** A version made by hand: Secrets Manager takes AWSPENDING away (RotationAbandoned in UG/retrieve-ct-entries). */
    supersede(secret: Secret): void {
      const pending = pendingVersion(secret);
      if (!pending?.ofRotation) return;
      pending.stages.delete('AWSPENDING');
      stop(secret);
      emit('RotationAbandoned', secret, pending.id);
    },

    /** How the secret's latest rotation, or test of one, ends. */
    async settled(secret: Secret): Promise<RotationOutcome> {
      const drive = drives.get(secret);
      if (!drive) throw new Error(`No rotation of ${secret.name} was started.`);
      return drive.settled;
    },

    onEvent(listener: (event: ServiceEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async close(): Promise<void> {
      for (const drive of drives.values()) drive.abandoned = true;
      closing.abort();
      await Promise.all(drives.values().map((drive) => drive.settled));
    },
  };
}
