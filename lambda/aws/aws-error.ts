import { type Category, RotationError } from '../rotation/rotation-error.ts';

/** By the names that Secrets Manager, SNS, SSM and S3 give them, without the `Exception` that some services append. */
const kinds: Record<string, readonly string[]> = {
  denied: ['AccessDenied', 'AuthorizationError', 'DecryptionFailure', 'EncryptionFailure'],
  key: ['KMSAccessDenied', 'KMSDisabled', 'KMSInvalidState', 'KMSNotFound', 'KMSOptInRequired', 'InvalidKeyId'],
  credentials: [
    'ExpiredToken',
    'InvalidClientTokenId',
    'InvalidSignature',
    'RequestExpired',
    'SignatureDoesNotMatch',
    'UnrecognizedClient',
    'CredentialsProviderError',
  ],
  missing: ['ResourceNotFound', 'NotFound', 'ParameterNotFound', 'NoSuchBucket'],
};

/**
 * An SDK's error as ours.
 *
 * @param thing what was asked of, and what for: `secret x: PutSecretValue`
 * @param fallback the category of whatever is neither a permission nor a missing thing
 */
export function fromAwsError(error: unknown, thing: string, fallback: Category): RotationError {
  const { name, message, $metadata } = error as Error & { $metadata?: { requestId?: string } };
  const what = `${thing}: ${name}: ${message}${$metadata?.requestId ? ` (request ${$metadata.requestId})` : ''}`;
  const failure = (category: Category, retryable: boolean, action: string) =>
    new RotationError({ category, what, retryable, pressed: 'no', action, cause: error });
  const is = (kind: string) => kinds[kind]?.includes(name.replace(/Exception$/, ''));
  if (is('denied'))
    return failure('permission', true, 'allow the function’s role this call, and the use of the KMS key');
  if (is('key')) return failure('permission', true, 'enable the KMS key, and allow the function’s role its use');
  if (is('credentials'))
    return failure('permission', true, 'none if the retry succeeds; otherwise see the function’s role and clock');
  if (is('missing'))
    return failure('configuration', false, 'create what is missing, or correct its name in the configuration');
  if (name === 'InvalidRequestException' && /delet/i.test(message)) {
    return failure('configuration', false, 'restore the secret, or leave it: nothing rotates it');
  }
  return failure(
    fallback,
    true,
    'none if the retry succeeds; otherwise see the AWS Health Dashboard and the service’s quotas',
  );
}
