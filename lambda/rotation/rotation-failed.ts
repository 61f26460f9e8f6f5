import type { Ports } from './ports.ts';
import type { RotationError } from './rotation-error.ts';
import { errorData, eventSubject } from './rotation-event.ts';
import type { Run } from './run.ts';
import { readCurrent, readSlots } from './secrets.ts';

/** Kept for the thrown error itself. */
const lastMs = 1_500;

/**
 * Publishes a failed step, as far as the secret can still be read. Never throws, and never outlasts the invocation: the
 * failure itself must come through.
 *
 * @returns the error, with `pressed: no` made `unknown` where a press was armed for this rotation, as the bridge secret says, or may have been
 */
export async function reportFailure(run: Run, ports: Ports, error: RotationError): Promise<RotationError> {
  const known = await inTime(run.remainingMs() / 2, ports, readKnown(run, ports));
  // What cannot be read is no proof that nothing was pressed; what is wrong from the start is.
  const armed = known?.armed ?? (run.step !== 'createSecret' || error.category !== 'configuration');
  const told = error.pressed === 'no' && armed ? error.with({ pressed: 'unknown' }) : error;
  const published = await inTime(run.remainingMs() - lastMs, ports, publish(run, ports, told, known));
  ports.log(published ? 'published' : 'not-published', { type: 'rotation-failed' });
  return told;
}

type Known = Awaited<ReturnType<typeof readKnown>>;

/** What one secret does not tell is no reason to leave out what another does. */
async function readKnown(run: Run, ports: Ports) {
  const description = await ports.secrets.describe(run.secretId);
  const unread = (error: unknown) => notReported(ports, error);
  const current = await readCurrent(run, ports, description).catch(unread);
  const slots = current && (await readSlots(run, ports, current.secret.bridge_secret_arn).catch(unread));
  const slot = slots?.latest?.slot;
  return {
    name: description.name,
    arn: description.arn,
    clientId: current?.secret.client_id,
    previous: current?.version.versionId,
    attempt: slot?.armed_for === run.token ? slot.attempt : 0,
    armed:
      slots &&
      (slots.armedForThisRotation > 0 ||
        slot?.armed_from === current.version.versionId ||
        (slots.knownSince !== undefined && !(await beganAfter(run, ports, slots.knownSince)))),
  };
}

/** Whether the rotation began later than that: an invocation may run on while others take slots, and its own is known no more. */
async function beganAfter(run: Run, ports: Ports, when: Date): Promise<boolean> {
  const began = await ports.secrets.createdAt(run.secretId, run.token).catch(() => undefined);
  return began !== undefined && began > when;
}

async function publish(run: Run, ports: Ports, error: RotationError, known: Known | undefined): Promise<true> {
  // Secrets Manager names the secret by its ARN.
  const secret = known ?? { arn: run.secretId, name: run.secretId };
  await ports.events.publish({
    type: 'oauth2.client-secret.rotation-failed.v1',
    severity: severityOf(error),
    data: {
      ...eventSubject(secret, known?.clientId),
      version_id: run.token,
      ...(known?.previous && { previous_version_id: known.previous }),
      step: run.step,
      attempt: known?.attempt ?? 0,
      pressed: error.pressed,
      error: errorData(error),
    },
  });
  return true;
}

/** What the work gives; undefined where it fails, or has not ended by then. */
async function inTime<T>(withinMs: number, ports: Ports, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = ports.clock.sleep(Math.max(0, withinMs), done.signal).then(
    () => undefined,
    () => undefined,
  );
  const result = work.catch((error: unknown) => notReported(ports, error));
  return Promise.race([result, late]).finally(() => done.abort());
}

function notReported({ log }: Ports, error: unknown): undefined {
  log('not-reported', { error });
}

/** Losing a race to another invocation is no trouble; what a retry will not mend, or a press in doubt, is. */
function severityOf({ category, retryable, pressed }: RotationError): 'info' | 'warning' | 'critical' {
  if (category === 'concurrency' && pressed !== 'yes') return 'info';
  return retryable && pressed === 'no' ? 'warning' : 'critical';
}
