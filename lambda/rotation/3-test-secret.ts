import { guard } from './0-guard.ts';
import { releasePending } from './labels.ts';
import { supersededAfterMs } from './limits.ts';
import type { Ports, Verdict } from './ports.ts';
import { preflight } from './preflight.ts';
import { RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';
import { credentialsOf, type RotatedVersion, readCurrent, readPending, readSlots } from './secrets.ts';

/**
 * Asks the token endpoint until it accepts AWSPENDING. Where AWSPENDING is a copy of AWSCURRENT a rotation configuration is being tested
 * (`RotateImmediately: false`), and the test is a preflight that changes nothing.
 *
 * @see Secrets Manager user guide, "Lambda rotation functions", testSecret
 * @throws {RotationError} token-endpoint; after 4 P of rejection the version is given up as superseded
 */
export async function testSecret(run: Run, ports: Ports): Promise<void> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) === 'current') return;
  const current = await readCurrent(run, ports, description);
  const pending = await readPending(run, ports, description);
  if (pending.secret.client_secret === current.secret.client_secret) return testConfiguration(run, ports, pending);

  const answer = await askUntilAccepted(run, ports, pending);
  const forMs = supersededAfterMs(run.limits);
  switch (answer.verdict) {
    case 'accepted':
      ports.learnSecret(answer.token.accessToken);
      return compareScope(run, ports, current, answer.token.scope ?? '');
    case 'rejected':
      await releasePending(run, ports);
      throw new RotationError({
        category: 'token-endpoint',
        what: `the new client secret was rejected for ${forMs} ms (${answer.detail}): superseded`,
        retryable: false,
        pressed: 'no',
        action: 'start a rotation, or wait for preflight: it adopts the client secret that the portal shows by then',
      });
    case 'unreachable':
      throw new RotationError({
        category: 'token-endpoint',
        what: `the token endpoint gave no verdict on the new client secret for ${forMs} ms (${answer.detail})`,
        retryable: true,
        pressed: 'no',
        action: 'none if the retry succeeds; otherwise look at the provider’s status page',
      });
  }
}

async function askUntilAccepted(run: Run, { tokens, clock }: Ports, { secret }: RotatedVersion): Promise<Verdict> {
  const beganMs = clock.monotonicMs();
  for (;;) {
    const answer = await tokens.mint(credentialsOf(secret, secret.client_secret ?? ''), run.signal);
    if (answer.verdict === 'accepted' || clock.monotonicMs() - beganMs > supersededAfterMs(run.limits)) return answer;
    await clock.sleep(run.limits.propagationMs / 10, run.signal);
  }
}

/** There is no way back to the client secret of before, so a narrower scope is told and not fatal. */
async function compareScope(run: Run, ports: Ports, current: RotatedVersion, scope: string): Promise<void> {
  const slots = await readSlots(run, ports, current.secret.bridge_secret_arn).catch(() => undefined);
  const before = slots?.latest?.slot.scope;
  const sameScope = before === undefined || scopes(before) === scopes(scope);
  ports.log('tested', sameScope ? { sameScope } : { sameScope, scopeBefore: before, scope });
}

/** Scopes are a set: their order says nothing. @see RFC 6749 section 3.3 */
function scopes(scope: string): string {
  return [...new Set(scope.split(' '))].sort().join(' ');
}

async function testConfiguration(run: Run, ports: Ports, { secret }: RotatedVersion): Promise<void> {
  const { errors } = await preflight(run, ports, { repair: false, record: false });
  const failed = errors.find(({ name }) => secret.client_secret !== undefined || name !== 'drift');
  if (failed) throw failed.error;
  ports.log('configuration-tested');
}
