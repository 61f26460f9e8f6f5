import { versionWith } from './labels.ts';
import type { Ports } from './ports.ts';
import type { RotationError } from './rotation-error.ts';
import { errorData, eventSubject } from './rotation-event.ts';
import type { Run } from './run.ts';

const tagPreflight = 'preflight';

/**
 * Publishes `preflight-failed.v1` or `preflight-recovered.v1` where the state has changed, and then remembers it in the tag.
 *
 * @returns the change, undefined where there is none
 */
export async function recordState(
  run: Run,
  ports: Ports,
  error: RotationError | undefined,
  clientId: string | undefined,
): Promise<string | undefined> {
  const description = await ports.secrets.describe(run.secretId);
  const before = description.tags.get(tagPreflight);
  const now = error ? `failed:${error.category}` : 'ok';
  if (before === now) return undefined;
  if (error || before) {
    const type = error ? 'preflight-failed' : 'preflight-recovered';
    await ports.events.publish({
      type: `oauth2.client-secret.${type}.v1`,
      severity: error ? 'warning' : 'info',
      data: {
        ...eventSubject(description, clientId),
        version_id: versionWith(description, 'AWSCURRENT') ?? '',
        step: 'preflight',
        // Each change of state is a fact of its own: its time tells it from the next one like it.
        attempt: Math.floor(ports.clock.now().getTime() / 1000),
        ...(error && { error: errorData(error) }),
      },
    });
    ports.log('published', { type });
  }
  await ports.secrets.tag(run.secretId, tagPreflight, now);
  return `${before ?? 'unknown'} -> ${now}`;
}
