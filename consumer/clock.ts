import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, so that tests have their own. */
export interface Clock {
  /** The wall clock, ms since 1970. It may jump. */
  nowMs(): number;
  /** Ms that never jump; they may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Rejects when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
  /** From 0 up to 1, as Math.random. */
  random(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // It holds the process, and has to: only callers who wait for a token are slept for, and a job that exits meanwhile has failed.
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: () => Math.random(),
};

/** Somewhere in the upper half of `ms`: many processes spread, and none comes back at once. */
export function jittered(ms: number, { random }: Clock): number {
  return ms * (0.5 + random() / 2);
}
