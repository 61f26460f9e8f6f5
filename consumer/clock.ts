import { setTimeout as delay } from 'node:timers/promises';
import { ConsumerError } from './errors.ts';

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

/** What a timer takes; more ends it at once. */
const longestTimeoutMs = 2_147_483_647;

/** @throws {ConsumerError} configuration */
export function timeoutOf(timeoutMs: number): number {
  if (Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= longestTimeoutMs) return timeoutMs;
  const range = `a whole number of ms from 1 to ${longestTimeoutMs}`;
  throw new ConsumerError('configuration', `timeoutMs must be ${range}, not ${timeoutMs}`);
}

/** @throws {ConsumerError} configuration */
export function atLeastZero(name: string, ms: number): number {
  if (ms >= 0) return ms;
  throw new ConsumerError('configuration', `${name} must be 0 ms or more, not ${ms}`);
}
