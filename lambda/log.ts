import type { Log } from './rotation/ports.ts';
import type { Redactor } from './rotation/redact.ts';
import { RotationError } from './rotation/rotation-error.ts';

const troubles = /^(not-|drift$|failed$)/;

/** A line of JSON a fact, on standard output; every text in it goes through the redactor. */
export function rotationLog(redactor: Redactor, correlation: Record<string, string>): Log {
  return (fact, { error, ...detail } = {}) => {
    const level = troubles.test(fact) ? 'WARN' : 'INFO';
    const described = error === undefined ? {} : { error: describe(error) };
    const line = { level, timestamp: new Date().toISOString(), ...correlation, fact, ...detail, ...described };
    process.stdout.write(`${JSON.stringify(line, redactor.replacer)}\n`);
  };
}

/** An error's own words; never its fields, which may hold a page or an answer. */
function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, cause } = error;
  const causedBy = cause === undefined ? {} : { cause: describe(cause) };
  if (!(error instanceof RotationError)) return { name, message, ...causedBy };
  const { category, retryable, pressed, action } = error;
  return { name, message, category, retryable, pressed, action, ...causedBy };
}
