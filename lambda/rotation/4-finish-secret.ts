import { guard } from './0-guard.ts';
import { clientSecretIn } from './client-secret.ts';
import { versionWith } from './labels.ts';
import { reserveMs } from './limits.ts';
import type { Ports } from './ports.ts';
import { publishRotated, publishRotatedDue } from './rotated-due.ts';
import { RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';
import { credentialsOf, type RotatedVersion, readCurrent, readPending } from './secrets.ts';
import { recordState } from './state.ts';

/**
 * Moves AWSCURRENT to the new version, tells consumers, and proves that the old client secret is dead and the new one is not. Whatever
 * fails after the move is made good by the next run. Nothing is read again after the move: a read may lag it.
 *
 * @see Secrets Manager user guide, "Lambda rotation functions", finishSecret
 * @throws {RotationError}
 */
export async function finishSecret(run: Run, ports: Ports): Promise<void> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) === 'current') {
    const current = await readCurrent(run, ports, description);
    await publishRotatedDue(run, ports, description, current);
    const previous = await ports.secrets.read(run.secretId, { label: 'AWSPREVIOUS' });
    return proveChangeover(run, ports, current, previous && clientSecretIn(previous.value));
  }
  const before = await readCurrent(run, ports, description);
  const pending = await readPending(run, ports, description);
  const from = versionWith(description, 'AWSCURRENT') ?? before.version.versionId;
  // The same secret: a rotation that was given up has moved AWSCURRENT all the same, and storing had taken the label of its event.
  if (before.version.versionId === from && before.secret.client_secret === pending.secret.client_secret)
    await publishRotated(run, ports, description, before, from, versionWith(description, 'AWSPREVIOUS'));
  await moveCurrent(run, ports, from);
  await publishRotated(run, ports, description, pending, run.token, from);
  await proveChangeover(run, ports, pending, before.secret.client_secret);
}

/** A move whose answer was lost, or that another invocation has made, is made all the same. */
async function moveCurrent(run: Run, { secrets, log }: Ports, from: string): Promise<void> {
  try {
    await secrets.moveLabel(run.secretId, 'AWSCURRENT', { from, to: run.token });
  } catch (error) {
    const { labels } = await secrets.describe(run.secretId);
    if (!labels.get(run.token)?.includes('AWSCURRENT')) throw error;
  }
  log('moved', { from, to: run.token });
}

/** At most P: the old client secret rejected, the new one still accepted. A miss is drift, and no reason to fail a rotation that is done. */
async function proveChangeover(
  run: Run,
  ports: Ports,
  current: RotatedVersion,
  old: string | undefined,
): Promise<void> {
  const { clock, tokens } = ports;
  if (old) ports.learnSecret(old);
  const ask = async (clientSecret: string | undefined) =>
    clientSecret ? (await tokens.mint(credentialsOf(current.secret, clientSecret), run.signal)).verdict : 'none';
  const beganMs = clock.monotonicMs();
  for (;;) {
    const verdicts = { old: await ask(old), new: await ask(current.secret.client_secret) };
    if ((verdicts.old === 'rejected' || verdicts.old === 'none') && verdicts.new === 'accepted') {
      return ports.log('proved', verdicts);
    }
    if (clock.monotonicMs() - beganMs <= run.limits.propagationMs && run.remainingMs() > reserveMs) {
      await clock.sleep(run.limits.propagationMs / 10, run.signal);
      continue;
    }
    // An endpoint that gives no verdict says nothing of drift.
    if (Object.values(verdicts).includes('unreachable')) return ports.log('not-proved', verdicts);
    ports.log('drift', verdicts);
    const error = new RotationError({
      category: 'token-endpoint',
      what: `after the rotation the old client secret is ${verdicts.old} and the new one ${verdicts.new}`,
      retryable: false,
      pressed: 'no',
      action: 'run preflight, which tells drift from a slow provider; a person may have rotated as well',
    });
    await recordState(run, ports, error, current.secret.client_id).catch((cause: unknown) =>
      ports.log('not-recorded', { error: cause }),
    );
    return;
  }
}
