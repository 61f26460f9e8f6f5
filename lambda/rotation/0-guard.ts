import type { SecretDescription } from './ports.ts';
import { type Category, RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';

/**
 * Whether this rotation is still to be done, in the order of the official templates: rotation enabled, token among the
 * versions, token already AWSCURRENT, token pending.
 *
 * @see Secrets Manager user guide, "Lambda rotation functions"
 * @throws {RotationError} configuration, when the invocation makes no sense for this secret
 */
export function guard(run: Run, secret: SecretDescription): 'pending' | 'current' {
  const refuse = (what: string, action: string, category: Category = 'configuration') =>
    new RotationError({ category, what, retryable: false, pressed: 'no', action });
  if (secret.deletedAt) {
    throw refuse(
      `secret ${secret.name} is scheduled for deletion`,
      'restore the secret, or leave it: nothing rotates it',
    );
  }
  if (secret.primaryRegion && secret.primaryRegion !== secret.arn.split(':')[3]) {
    throw refuse(
      `secret ${secret.name} is a replica of the one in ${secret.primaryRegion}`,
      `rotate the one in ${secret.primaryRegion}: its replicas follow`,
    );
  }
  if (!secret.rotationEnabled) {
    throw refuse(
      `rotation is not enabled for secret ${secret.name}`,
      'enable rotation on the secret, or leave it paused',
    );
  }
  const labels = secret.labels.get(run.token) ?? [];
  if (labels.includes('AWSCURRENT')) return 'current';
  if (labels.includes('AWSPENDING')) return 'pending';
  // Secrets Manager goes on retrying a rotation that was given up; that is nobody's trouble.
  throw refuse(
    `version ${run.token} of secret ${secret.name} ${labels.length > 0 ? 'does not have the label AWSPENDING' : 'has no label'}`,
    'none where this rotation was given up or abandoned, as an earlier message says; otherwise start one with RotateSecret',
    'concurrency',
  );
}
