import { randomUUID } from 'node:crypto';
import { SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { Session } from './session.ts';

export interface EventsOptions {
  /** Ends after so many events. */
  count?: number;
  /** Ends after so long. */
  minutes?: number;
}

/** What is shown of an event, whatever later versions add to it. */
const eventSchema = z.looseObject({
  type: z.string(),
  time: z.string(),
  data: z.looseObject({
    secret_name: z.string(),
    version_id: z.string(),
    step: z.string(),
    pressed: z.string().optional(),
    error: z.looseObject({ category: z.string(), message: z.string(), action: z.string() }).optional(),
  }),
});

/** Follows the events of the topic through a queue of its own, which is removed at the end. */
export async function events(session: Session, { count = Infinity, minutes }: EventsOptions): Promise<void> {
  const { sns, sqs } = session;
  const topicArn = await session.topicArn();
  const ended = new AbortController();
  const end = () => ended.abort();
  const timer = minutes === undefined ? undefined : setTimeout(end, minutes * 60_000);
  // Not once: npm passes on a Ctrl-C that has come here already, and the second must not end the cleaning up.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: `rotate-client-secret-events-${randomUUID()}`,
      Attributes: { MessageRetentionPeriod: '3600', Policy: mayBeSentToBy(topicArn) },
    }),
  );
  let SubscriptionArn: string | undefined;
  try {
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    ({ SubscriptionArn } = await sns.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: 'sqs',
        Endpoint: Attributes?.QueueArn,
        Attributes: { RawMessageDelivery: 'true' },
        ReturnSubscriptionArn: true,
      }),
    ));
    process.stderr.write(`Following ${topicArn}; Ctrl-C ends it.\n`);
    for (let seen = 0; seen < count && !ended.signal.aborted; ) {
      const Messages = await receive(sqs, QueueUrl, ended.signal);
      for (const { Body = '', ReceiptHandle } of Messages) {
        show(session, Body);
        seen += 1;
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  } finally {
    clearTimeout(timer);
    try {
      if (SubscriptionArn) await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    } finally {
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    }
  }
}

/** At most one message; none where the signal aborts. */
async function receive(sqs: SQSClient, QueueUrl: string | undefined, signal: AbortSignal): Promise<Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, WaitTimeSeconds: 10 });
  try {
    return (await sqs.send(command, { abortSignal: signal })).Messages ?? [];
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

/** @see SNS developer guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic" */
function mayBeSentToBy(topicArn: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: '*',
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn } },
      },
    ],
  });
}

function show(session: Session, body: string): void {
  const event = parsed(body);
  if (!event) {
    session.say({ type: 'unknown' }, 'a message that is no event of ours');
    return;
  }
  const { type, time, data } = event;
  const { error } = data;
  const pressed = data.pressed ? `  pressed: ${data.pressed}` : '';
  const fact = `${time}  ${type.replace('oauth2.client-secret.', '')}  ${data.secret_name}  ${data.step}`;
  const trouble = error ? [`  [${error.category}] ${error.message}`, `  next: ${error.action}`] : [];
  session.say(event, [`${fact}  version ${data.version_id}${pressed}`, ...trouble].join('\n'));
}

function parsed(body: string): z.infer<typeof eventSchema> | undefined {
  try {
    return eventSchema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}
