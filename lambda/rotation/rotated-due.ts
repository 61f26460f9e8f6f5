import { dropLabel, rotatedDue, versionWith } from './labels.ts';
import { slotToPressMs } from './limits.ts';
import type { Ports, SecretDescription } from './ports.ts';
import { eventSubject } from './rotation-event.ts';
import type { Run } from './run.ts';
import { type RotatedVersion, readSlots } from './secrets.ts';

/**
 * Publishes the `rotated.v1` that an earlier run owes, for a version that is or was AWSCURRENT.
 *
 * @returns the version that it was published for
 * @throws {RotationError} event or permission; the label stays
 */
export async function publishRotatedDue(
  run: Run,
  ports: Ports,
  description: SecretDescription,
  current: RotatedVersion,
): Promise<string | undefined> {
  const versionId = versionWith(description, rotatedDue);
  const labels = versionId === undefined ? [] : (description.labels.get(versionId) ?? []);
  const isCurrent = labels.includes('AWSCURRENT');
  if (versionId === undefined || !(isCurrent || labels.includes('AWSPREVIOUS'))) return undefined;
  const previous = isCurrent ? versionWith(description, 'AWSPREVIOUS') : undefined;
  await publishRotated(run, ports, description, current, versionId, previous);
  return versionId;
}

/** Publishes `rotated.v1`, then drops the label. Died in between, the next run publishes the same event, with the same id, again. */
export async function publishRotated(
  run: Run,
  ports: Ports,
  description: SecretDescription,
  { secret }: RotatedVersion,
  versionId: string,
  previousVersionId: string | undefined,
): Promise<void> {
  // Consumers are told even where the bridge secret cannot be read.
  const slots = await readSlots(run, ports, secret.bridge_secret_arn).catch(() => undefined);
  const slot = slots?.latest?.slot.armed_for === versionId ? slots.latest.slot : undefined;
  const { lateEffectMs, propagationMs } = run.limits;
  const invalidAfterMs = slot && Date.parse(slot.armed_at) + slotToPressMs + lateEffectMs + propagationMs;
  await ports.events.publish({
    type: 'oauth2.client-secret.rotated.v1',
    severity: 'info',
    data: {
      ...eventSubject(description, secret.client_id),
      version_id: versionId,
      ...(previousVersionId && { previous_version_id: previousVersionId }),
      step: 'finishSecret',
      attempt: 0,
      existing_tokens_valid: true,
      ...(invalidAfterMs && { previous_invalid_after: new Date(invalidAfterMs).toISOString() }),
    },
  });
  ports.log('published', { type: 'rotated', version: versionId });
  await dropLabel(run, ports, rotatedDue, versionId);
}
