import { createHash, randomUUID } from 'node:crypto';
import type { Found } from './1a-observe.ts';
import type { BridgeSecret } from './client-secret.ts';
import type { Ports } from './ports.ts';
import { RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';

/**
 * Takes the slot: write-ahead entry, mutex and bridge in one. Of two invocations that reach for the same slot one gets it, since the
 * version id is the same and the value, by `armed_by`, is not.
 *
 * @returns when the put began, on the monotonic clock: the press follows within D of it
 * @throws {RotationError} concurrency, when another invocation holds the slot
 */
export async function takeSlot(run: Run, ports: Ports, found: Found): Promise<number> {
  const { current, description, token, nextAttempt } = found;
  const beganMs = ports.clock.monotonicMs();
  const slot: BridgeSecret = {
    client_id: token && current.secret.client_id,
    access_token: token?.accessToken,
    token_type: token?.tokenType,
    expires_at: token?.expiresAt.toISOString(),
    scope: token?.scope,
    armed_for: run.token,
    armed_from: current.version.versionId,
    attempt: nextAttempt,
    armed_by: randomUUID(),
    armed_at: ports.clock.now().toISOString(),
  };
  const outcome = await ports.secrets.put(current.secret.bridge_secret_arn, {
    versionId: slotId(description.arn, current.version.versionId, nextAttempt),
    value: JSON.stringify(slot),
    labels: ['AWSCURRENT'],
  });
  if (outcome === 'conflict') {
    throw new RotationError({
      category: 'concurrency',
      what: `another invocation holds the slot of attempt ${nextAttempt}`,
      retryable: true,
      pressed: 'unknown',
      action: 'none: the other invocation goes on, and a retry sees what it did',
    });
  }
  ports.log('bridge-stored', { attempt: nextAttempt, withToken: token !== undefined });
  return beganMs;
}

/** The ClientRequestToken of a slot. @see design: the slot */
export function slotId(secretArn: string, currentVersionId: string, attempt: number): string {
  return createHash('sha256').update(`${secretArn}\n${currentVersionId}\n${attempt}`).digest('hex');
}
