/** What kind of thing went wrong; the runbook has an entry for each. */
export const categories = [
  'configuration',
  'login',
  'portal-changed',
  'portal-unavailable',
  'token-endpoint',
  'secret-store',
  'permission',
  'concurrency',
  'timeout',
  'event',
] as const;

export type Category = (typeof categories)[number];

/** Whether the one irreversible click happened, as far as the evidence shows. */
export type Pressed = 'yes' | 'no' | 'unknown';

/** What happened, in parts. None of them may hold a secret. */
export interface Failure {
  category: Category;
  /** What happened, with the thing's name, limit and value. */
  what: string;
  /** Whether the same rotation, tried again unchanged, can succeed. */
  retryable: boolean;
  pressed: Pressed;
  /** The next thing an operator should do. */
  action: string;
  cause?: unknown;
}

/**
 * The only error that leaves the handler. Its message is `[category] what happened; pressed: yes|no|unknown; next: action`.
 * `cause` is not enumerable, so printing the error does not print a page or an answer.
 */
export class RotationError extends Error implements Failure {
  override readonly name: string = 'RotationError';
  readonly category: Category;
  readonly what: string;
  readonly retryable: boolean;
  readonly pressed: Pressed;
  readonly action: string;

  constructor(failure: Failure) {
    super(`[${failure.category}] ${failure.what}; pressed: ${failure.pressed}; next: ${failure.action}`, {
      cause: failure.cause,
    });
    this.category = failure.category;
    this.what = failure.what;
    this.retryable = failure.retryable;
    this.pressed = failure.pressed;
    this.action = failure.action;
  }

  /** The same failure with other parts, for a caller that knows more than the one that threw; a refused login stays one. */
  with(known: Partial<Failure>): RotationError {
    const { category, what, retryable, pressed, action, cause } = this;
    return new (this.constructor as typeof RotationError)({
      category,
      what,
      retryable,
      pressed,
      action,
      cause,
      ...known,
    });
  }
}

/** The portal looked at the login and refused it: nobody may try again until the login secret has another version. */
export class LoginRefused extends RotationError {
  override readonly name = 'LoginRefused';
}

/** Any thrown thing as a RotationError; what is not one already is taken for a fault of ours or of the runtime. */
export function asRotationError(error: unknown, failure: Omit<Failure, 'what' | 'cause'>): RotationError {
  if (error instanceof RotationError) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new RotationError({ ...failure, what, cause: error });
}
