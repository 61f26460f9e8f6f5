import type { Limits } from './limits.ts';
import { type Pressed, RotationError } from './rotation-error.ts';
import type { Step } from './rotation-event.ts';

/** One invocation. */
export interface Run {
  step: Step | 'preflight';
  secretId: string;
  /** The ClientRequestToken; it is the id of the version that becomes AWSCURRENT. */
  token: string;
  rotationToken: string | undefined;
  limits: Limits;
  /** What Lambda has left for this invocation. */
  remainingMs(): number;
  /** Aborts shortly before Lambda would kill the invocation. */
  signal: AbortSignal;
}

/** No step begins without the time that it and all that must follow it need. */
export function requireTime(run: Run, neededMs: number, stage: string, pressed: Pressed): void {
  const remainingMs = run.remainingMs();
  if (remainingMs >= neededMs) return;
  throw new RotationError({
    category: 'timeout',
    what: `${stage} needs ${neededMs} ms and the invocation has ${remainingMs} ms left`,
    retryable: true,
    pressed,
    action: 'none if the retry succeeds; otherwise raise the function timeout (15 minutes are meant)',
  });
}
