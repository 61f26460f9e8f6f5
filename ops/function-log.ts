import { paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import type { Described, Session } from './session.ts';

export interface PublishedEvent {
  /** `rotated`, `rotation-failed` and so on: the CloudEvents type without prefix and version. */
  type: string;
  at: Date;
  /** Of the rotation; undefined for a preflight's. */
  version: string | undefined;
}

const publishedSchema = z.object({ type: z.string(), version: z.string().optional() });

const failureSchema = z.object({
  step: z.string(),
  error: z.object({ category: z.string(), message: z.string(), retryable: z.boolean(), action: z.string() }),
});

/** A step that failed: which, and its error. */
export type Failure = z.infer<typeof failureSchema>;

const daysBack = 35;
const shown = 3;
const timeoutMs = 15_000;

/**
 * What consumers were last told of this secret, the latest last. SNS keeps no message, so that the function's log is asked.
 *
 * @throws where the function or its log group cannot be read
 */
export async function lastEvents(session: Session, { arn }: Described): Promise<PublishedEvent[]> {
  const since = new Date(Date.now() - daysBack * 86_400_000);
  const group = await logGroupOf(session);
  const facts = await logged(session, group, 'published', `$.secret = "${arn}"`, since, publishedSchema);
  return facts.slice(-shown).map(({ line: { type, version }, at }) => ({ type, at, version }));
}

/**
 * Which steps of this rotation have failed since then, the latest last.
 *
 * @throws where the log group cannot be read
 */
export async function failuresOf(
  session: Session,
  group: string | undefined,
  token: string,
  since: Date,
): Promise<Failure[]> {
  const facts = await logged(session, group, 'failed', `$.version = "${token}"`, since, failureSchema);
  return facts.map(({ line }) => line);
}

/** Where the function logs. @throws where the function cannot be read */
export async function logGroupOf({ lambda, functionName }: Session): Promise<string | undefined> {
  const FunctionName = await functionName();
  return (await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))).LoggingConfig?.LogGroup;
}

async function logged<T>(
  { logs }: Session,
  logGroupName: string | undefined,
  fact: string,
  condition: string,
  since: Date,
  schema: z.ZodType<T>,
): Promise<{ line: T; at: Date }[]> {
  const pages = paginateFilterLogEvents(
    { client: logs },
    {
      logGroupName,
      filterPattern: `{ ($.fact = "${fact}") && (${condition}) }`,
      startTime: since.getTime(),
    },
    { abortSignal: AbortSignal.timeout(timeoutMs) },
  );
  const facts: { line: T; at: Date }[] = [];
  for await (const page of pages) {
    for (const { message = '', timestamp } of page.events ?? []) {
      facts.push({ line: schema.parse(JSON.parse(message)), at: new Date(timestamp ?? 0) });
    }
  }
  return facts;
}
