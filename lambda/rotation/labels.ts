import type { Ports, SecretDescription } from './ports.ts';
import type { Run } from './run.ts';

/** On the version whose `rotated.v1` has not been published yet: an outbox in the labels. */
export const rotatedDue = 'ROTATED_DUE';

/** The version that bears the label. */
export function versionWith(secret: SecretDescription, label: string): string | undefined {
  return [...secret.labels].find(([, labels]) => labels.includes(label))?.[0];
}

/** Takes the label off the version; of two invocations that do, the one that comes too late has nothing left to do. */
export async function dropLabel(run: Run, { secrets }: Ports, label: string, versionId: string): Promise<void> {
  try {
    await secrets.moveLabel(run.secretId, label, { from: versionId });
  } catch (error) {
    const { labels } = await secrets.describe(run.secretId);
    if (labels.get(versionId)?.includes(label)) throw error;
  }
}

/**
 * Gives up a rotation's version: an AWSPENDING left behind would block every later RotateSecret. Nothing is lost by it, since the
 * portal goes on showing the valid secret and the next rotation adopts it. Never throws: the failure that led here must come through,
 * and preflight takes off what stays.
 */
export async function releasePending(run: Run, ports: Ports, versionId = run.token): Promise<boolean> {
  try {
    const { labels } = await ports.secrets.describe(run.secretId);
    const own = labels.get(versionId) ?? [];
    if (own.includes('AWSCURRENT')) return false;
    for (const label of ['AWSPENDING', rotatedDue]) {
      if (own.includes(label)) await dropLabel(run, ports, label, versionId);
    }
    ports.log('released', { version: versionId });
    return true;
  } catch (error) {
    ports.log('not-released', { version: versionId, error });
    return false;
  }
}
