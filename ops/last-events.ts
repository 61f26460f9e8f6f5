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

const lineSchema = z.object({ type: z.string(), version: z.string().optional() });

const daysBack = 35;
const shown = 3;
const timeoutMs = 15_000;

/**
 * What consumers were last told of this secret, the latest last. SNS keeps no message, so that the function's log is asked.
 *
 * @throws where the function or its log group cannot be read
 */
export async function lastEvents(
  { lambda, logs, functionName }: Session,
  { arn }: Described,
): Promise<PublishedEvent[]> {
  const { LoggingConfig } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: await functionName() }),
  );
  const pages = paginateFilterLogEvents(
    { client: logs },
    {
      logGroupName: LoggingConfig?.LogGroup,
      filterPattern: `{ ($.fact = "published") && ($.secret = "${arn}") }`,
      startTime: Date.now() - daysBack * 86_400_000,
    },
    { abortSignal: AbortSignal.timeout(timeoutMs) },
  );
  const events: PublishedEvent[] = [];
  for await (const page of pages) {
    for (const { message = '', timestamp } of page.events ?? []) {
      const { type, version } = lineSchema.parse(JSON.parse(message));
      events.push({ type, at: new Date(timestamp ?? 0), version });
    }
  }
  return events.slice(-shown);
}
