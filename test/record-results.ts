import { appendFileSync } from 'node:fs';

/** What one kind of proof covered, for docs/reliability.md. */
export interface Result {
  level: 'model' | 'effects' | 'processes' | 'services';
  /** What was injected or varied, in words. */
  what: string;
  cases: number;
  outcome: string;
  seconds: number;
}

/** Appends a line of JSON to the file that RELIABILITY_RESULTS names; nothing where it is not set. */
export function recordResult(result: Result): void {
  const path = process.env.RELIABILITY_RESULTS;
  if (path) appendFileSync(path, `${JSON.stringify(result)}\n`);
}
