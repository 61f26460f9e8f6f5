/** What each means, and what to do about it: README, "When it fails". */
export type ConsumerErrorCode =
  | 'configuration'
  | 'credentials-unavailable'
  | 'client-rejected'
  | 'token-endpoint-unreachable'
  | 'event-malformed'
  | 'event-forged'
  | 'event-unverified';

/** The one error of this library (a caller's own abort apart). No part of it holds a secret or a token, so it may be logged whole. */
export class ConsumerError extends Error {
  override readonly name = 'ConsumerError';
  readonly code: ConsumerErrorCode;
  /** What was tried for a token, in order, equal outcomes counted. Empty where nothing was. */
  readonly tried: readonly string[];

  // No cause: a platform's error may quote the text that it could not read, and that text may be a secret.
  constructor(code: ConsumerErrorCode, message: string, tried: readonly string[] = []) {
    super(message);
    this.code = code;
    this.tried = tried;
  }
}

/** What may be told of an error that others made: its kind, never its words. */
export function kindOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'unknown';
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? code : cause.name;
}
