import type { Found } from './1a-observe.ts';
import { isClientSecret, withClientSecret } from './client-secret.ts';
import { releasePending, rotatedDue } from './labels.ts';
import type { NewVersion, Ports } from './ports.ts';
import { asRotationError, type Pressed, RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';

/**
 * Stores what the portal shows as AWSPENDING, and marks it as due to be announced. Nothing comes before this after a press, and it is
 * tried until the invocation ends.
 *
 * @throws {RotationError} concurrency, when the version has another value: superseded
 */
export async function store(
  run: Run,
  ports: Ports,
  found: Found,
  clientSecret: string,
  pressed: Pressed,
): Promise<void> {
  if (!isClientSecret(clientSecret)) {
    throw new RotationError({
      category: 'portal-changed',
      what: 'the portal shows a client secret that is masked or not one line',
      retryable: true,
      pressed,
      action: 'look at Developer Tools and correct the portal profile',
    });
  }
  const version = {
    versionId: run.token,
    value: withClientSecret(found.current.version.value, clientSecret),
    labels: ['AWSPENDING', rotatedDue],
    rotationToken: run.rotationToken,
  };
  const outcome = await putUntilTheEnd(run, ports, version, pressed);
  if (outcome === 'conflict') {
    await releasePending(run, ports);
    throw new RotationError({
      category: 'concurrency',
      what: 'AWSPENDING holds another client secret already, which the provider has superseded',
      retryable: false,
      pressed,
      action: 'start a rotation, or wait for preflight: it adopts the client secret that the portal shows',
    });
  }
  ports.log('stored', { pressed });
}

async function putUntilTheEnd(
  run: Run,
  ports: Ports,
  version: NewVersion,
  pressed: Pressed,
): Promise<'stored' | 'conflict'> {
  for (let pauseMs = 125; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await ports.secrets.put(run.secretId, version);
    } catch (error) {
      const action =
        'mend the access to the rotated secret; the portal still shows the new client secret, and the retry adopts it';
      const { what, category } = asRotationError(error, { category: 'secret-store', retryable: true, pressed, action });
      ports.log('not-stored', { error });
      await ports.clock.sleep(pauseMs, run.signal).catch((cause: unknown) => {
        throw new RotationError({
          category,
          what: `the new client secret could not be stored: ${what}`,
          retryable: true,
          pressed,
          action,
          cause,
        });
      });
    }
  }
}
