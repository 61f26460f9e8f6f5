import type { Found } from './1a-observe.ts';
import type { Ports } from './ports.ts';
import { eventSubject, type RotationEvent } from './rotation-event.ts';
import type { Run } from './run.ts';

/** Tells consumers how far createSecret is. It only makes them quicker, so failing to stops nothing. */
export async function announce(
  run: Run,
  { events, log }: Ports,
  { description, current }: Pick<Found, 'description' | 'current'>,
  type: 'rotation-started' | 'pending',
  known: Pick<RotationEvent['data'], 'attempt'> & Partial<RotationEvent['data']>,
): Promise<void> {
  try {
    await events.publish({
      type: `oauth2.client-secret.${type}.v1`,
      severity: 'info',
      data: {
        ...eventSubject(description, current.secret.client_id),
        version_id: run.token,
        previous_version_id: current.version.versionId,
        step: 'createSecret',
        ...known,
      },
    });
    log('published', { type });
  } catch (error) {
    log('not-published', { type, error });
  }
}
