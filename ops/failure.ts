import { RotationError } from '../lambda/rotation/rotation-error.ts';

/** What the exit codes mean; `--help` prints this. */
export const exitCodes = {
  done: [0, 'done, or all is well'],
  trouble: [1, 'it was looked or tried, and something is wrong: the output says what'],
  usage: [2, 'an option or the input is not valid; nothing was done'],
  unconfirmed: [3, 'not confirmed, or it would overwrite something; nothing was done'],
  aws: [4, 'AWS refused or could not be reached'],
} as const;

/** Ends a command: what happened, what an operator does next, and the exit code. Neither text may hold a secret. */
export class OpsError extends Error {
  override readonly name = 'OpsError';
  readonly exit: keyof typeof exitCodes;
  readonly next: string;

  constructor(exit: keyof typeof exitCodes, message: string, next: string) {
    super(message);
    this.exit = exit;
    this.next = next;
  }
}

/** By the names of the SDK and the services, without the `Exception` that some append. */
const remedies: [RegExp, string][] = [
  [
    /^(CredentialsProviderError|TokenProviderError|ExpiredToken|InvalidClientTokenId|UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch|RequestExpired)$/,
    'sign in again, or name another profile with --profile',
  ],
  [
    /^(AccessDenied|AuthorizationError|KMSAccessDenied|DecryptionFailure|EncryptionFailure)$/,
    'use credentials that may make this call and use the KMS key',
  ],
  [
    /^(ResourceNotFound|NotFound|QueueDoesNotExist)$/,
    'see --secret, --function and --topic, the region (--region) and the account (--profile)',
  ],
  [/^(Throttling|TooManyRequests|LimitExceeded)$/, 'wait a minute and try again'],
  [
    /^(TimeoutError|NetworkingError|ECONN\w+|ENOTFOUND|ERR_INVALID_URL)$/,
    'see the network and the region, and AWS_ENDPOINT_URL where it is set',
  ],
];

/** Anything thrown as an OpsError. Texts of AWS are passed on: they name resources and calls, never a value. */
export function asOpsError(thrown: unknown, profile?: string): OpsError {
  if (thrown instanceof OpsError) return thrown;
  if (thrown instanceof RotationError) return new OpsError('usage', thrown.what, thrown.action);
  const { name, message, code, $metadata } = thrown as Error & { code?: string; $metadata?: object };
  if (message === 'Region is missing')
    return new OpsError('usage', 'no region is known', 'give --region, or set AWS_REGION');
  if (message.startsWith('Region not accepted'))
    return new OpsError('usage', message, 'correct --region, AWS_REGION or the ARN');
  const kind = code ?? name.replace(/Exception$/, '');
  const remedy = remedies.find(([names]) => names.test(kind) || names.test(name))?.[1];
  // What is neither of AWS nor of the network is a fault of this program.
  if (!remedy && !$metadata) throw thrown;
  const from = profile && name === 'CredentialsProviderError' ? ` (profile ${profile})` : '';
  return new OpsError('aws', `${name}: ${message || kind}${from}`, remedy ?? 'see what the message says');
}
