import type { Ports } from './ports.ts';
import type { RotationError } from './rotation-error.ts';
import { errorData, eventSubject } from './rotation-event.ts';
import type { Run } from './run.ts';
import { readCurrent, readSlots } from './secrets.ts';

/** Kept for the thrown error itself. */
const lastMs = 1_500;

/**
 * Logs and publishes a failed step, as far as the secret can still be read. Never throws, and never outlasts the invocation: the
 * failure itself must come through.
 *
 * @returns the error, with `pressed: no` made `unknown` where a press was armed for this rotation, as the bridge secret says, or may have been
 */
export async function reportFailure(run: Run, ports: Ports, error: RotationError): Promise<RotationError> {
  const known = await inTime(run.remainingMs() / 2, ports, readKnown(run, ports));
  // What cannot be read is no proof that nothing was pressed; what is wrong from the start is.
  const armed = known ? known.armed : run.step !== 'createSecret' || error.category !== 'configuration';
  const told = error.pressed === 'no' && armed ? error.with({ pressed: 'unknown' }) : error;
  ports.log('failed', { error: told });
  const published = await inTime(run.remainingMs() - lastMs, ports, publish(run, ports, told, known));
  ports.log(published ? 'published' : 'not-published', { type: 'rotation-failed' });
  return told;
}

type Known = Awaited<ReturnType<typeof readKnown>>;

async function readKnown(run: Run, ports: Ports) {
  const description = await ports.secrets.describe(run.secretId);
  const { secret, version } = await readCurrent(run, ports, description);
  const { latest, armedForThisRotation } = await readSlots(run, ports, secret.bridge_secret_arn);
  const attempt = latest?.slot.armed_for === run.token ? latest.slot.attempt : 0;
  const armed = armedForThisRotation > 0 || latest?.slot.armed_from === version.versionId;
  return {
    name: description.name,
    arn: description.arn,
    clientId: secret.client_id,
    previous: version.versionId,
    attempt,
    armed,
  };
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
      ...(known && { previous_version_id: known.previous }),
      step: run.step,
      attempt: known?.attempt ?? 0,
      pressed: error.pressed,
      error: errorData(error),
    },
  });
  return true;
}

/** What the work gives; undefined where it fails, or has not ended by then. */
async function inTime<T>(withinMs: number, { clock, log }: Ports, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  const late = clock.sleep(Math.max(0, withinMs), done.signal).then(
    () => undefined,
    () => undefined,
  );
  const result = work.catch((error: unknown) => {
    log('not-reported', { error });
    return undefined;
  });
  return Promise.race([result, late]).finally(() => done.abort());
}

/** Losing a race to another invocation is no trouble; what a retry will not mend, or a press in doubt, is. */
function severityOf({ category, retryable, pressed }: RotationError): 'info' | 'warning' | 'critical' {
  if (category === 'concurrency' && pressed !== 'yes') return 'info';
  return retryable && pressed === 'no' ? 'warning' : 'critical';
}
