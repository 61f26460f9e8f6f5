import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from './rotation/ports.ts';
import type { Redactor } from './rotation/redact.ts';
import { RotationError } from './rotation/rotation-error.ts';

const troubles = /^(not-|drift$|failed$)/;

/** Structured logs through Powertools, a line a fact, every text of them through the redactor. */
export function rotationLog(redactor: Redactor, correlation: Record<string, string>): Log {
  const logger = new Logger({
    serviceName: 'rotate-client-secret',
    persistentLogAttributes: correlation,
    jsonReplacerFn: redactor.replacer,
  });
  return (fact, detail = {}) => {
    const { error, ...rest } = detail;
    const extra = { fact, ...rest, ...(error === undefined ? {} : { error: describe(error) }) };
    if (troubles.test(fact)) logger.warn(fact, extra);
    else logger.info(fact, extra);
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
