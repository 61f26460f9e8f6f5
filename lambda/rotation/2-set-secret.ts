import { guard } from './0-guard.ts';
import { parseRotatedSecret, type RotatedSecret } from './client-secret.ts';
import { releasePending } from './labels.ts';
import type { Ports } from './ports.ts';
import { RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';
import { readCurrent, readPendingVersion } from './secrets.ts';

/**
 * The provider has the new client secret already, since it made it: what is left is to check that AWSPENDING holds one, for this client.
 *
 * @see Secrets Manager user guide, "Lambda rotation functions", setSecret
 * @throws {RotationError} configuration, secret-store; a version that does not fit is given up, since its value cannot be changed
 */
export async function setSecret(run: Run, ports: Ports): Promise<void> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) === 'current') return;
  const current = await readCurrent(run, ports, description);
  const { value } = await readPendingVersion(run, ports, description);
  const pending = wellFormed(description.name, value);
  const misfit = !pending
    ? 'is not well-formed'
    : !pending.client_secret
      ? 'has no client_secret'
      : pending.client_id !== current.secret.client_id
        ? 'is for another client_id than AWSCURRENT'
        : undefined;
  if (!misfit) return;
  await releasePending(run, ports);
  throw new RotationError({
    category: 'configuration',
    what: `AWSPENDING of secret ${description.name} ${misfit}`,
    retryable: false,
    pressed: 'no',
    action: 'start a rotation: it adopts what the portal shows for the client_id of AWSCURRENT',
  });
}

function wellFormed(name: string, value: string): RotatedSecret | undefined {
  try {
    return parseRotatedSecret(name, value);
  } catch (error) {
    if (error instanceof RotationError) return undefined;
    throw error;
  }
}
