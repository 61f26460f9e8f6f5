import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { eventPublisher } from '../../lambda/aws/event-publisher.ts';
import { Redactor } from '../../lambda/rotation/redact.ts';
import type { RotationEvent } from '../../lambda/rotation/rotation-event.ts';
import { startMessaging } from '../../local/messaging.ts';
import { json } from './page.ts';

const about = {
  secret_arn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:tradeaware/client-AbCdEf',
  secret_name: 'tradeaware/client',
  region: 'eu-central-1',
  client_id: '0123456789abcdef0123456789abcdef',
};
const versions = {
  version_id: '5f0c3a52-6d0e-4f7b-9a55-3f1f2f0c8e21',
  previous_version_id: 'c1a7c1de-2b5d-4b8e-8d0b-6a3d5e9f4b10',
};

/** One event of each type, as a rotation that goes well, one that fails, and a preflight tell them. */
export const sampleEvents: readonly (RotationEvent & { time: string })[] = [
  {
    type: 'oauth2.client-secret.rotation-started.v1',
    severity: 'info',
    time: '2030-01-01T03:00:05.100Z',
    data: { ...about, ...versions, step: 'createSecret', attempt: 1, existing_tokens_valid: true },
  },
  {
    type: 'oauth2.client-secret.pending.v1',
    severity: 'info',
    time: '2030-01-01T03:00:06.300Z',
    data: {
      ...{ ...about, ...versions, step: 'createSecret', attempt: 0, existing_tokens_valid: true },
      ...{ pressed: 'yes', adopted: false, changeover_ms: 640, previous_invalid_after: '2030-01-01T03:01:50.000Z' },
    },
  },
  {
    type: 'oauth2.client-secret.rotated.v1',
    severity: 'info',
    time: '2030-01-01T03:00:09.700Z',
    data: {
      ...{ ...about, ...versions, step: 'finishSecret', attempt: 0, existing_tokens_valid: true },
      previous_invalid_after: '2030-01-01T03:01:50.000Z',
    },
  },
  {
    type: 'oauth2.client-secret.rotation-failed.v1',
    severity: 'warning',
    time: '2030-01-01T03:00:04.000Z',
    data: {
      ...{ ...about, ...versions, step: 'createSecret', attempt: 0, pressed: 'no' },
      error: {
        category: 'portal-unavailable',
        message: 'the portal answered https://app.example.com/account/developer-tools with status 503',
        retryable: true,
        action: 'none if the retry succeeds; otherwise open the portal by hand',
      },
    },
  },
  {
    type: 'oauth2.client-secret.preflight-failed.v1',
    severity: 'warning',
    time: '2030-01-02T04:00:12.000Z',
    data: {
      ...{ ...about, version_id: versions.version_id, step: 'preflight', attempt: 1893556812 },
      error: {
        category: 'login',
        message: 'the portal refused the login; it was typed once and will not be again',
        retryable: false,
        action: 'log in by hand with the stored login, then store the correct one as a new version of the login secret',
      },
    },
  },
  {
    type: 'oauth2.client-secret.preflight-recovered.v1',
    severity: 'info',
    time: '2030-01-03T04:00:10.000Z',
    data: { ...about, version_id: versions.version_id, step: 'preflight', attempt: 1893643210 },
  },
];

export const topicArn = 'arn:aws:sns:eu-central-1:123456789012:client-secret-rotation';
const subscription = `${topicArn}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55`;
const messageId = '95df01b4-ee98-5cb9-9903-4c221d41eb5e';

/** SNS and SQS on loopback with the real publisher; `publish` resolves when the queues have the message. */
export async function startTopic() {
  const published: Record<string, string>[] = [];
  const messaging = await startMessaging({
    intercept: async (action, input) => {
      if (action === 'Publish') published.push(input as Record<string, string>);
      return undefined;
    },
  });
  const options = {
    endpoint: messaging.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const sns = new SNSClient(options);
  const sqs = new SQSClient(options);
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'client-secret-rotation' }));
  return {
    ...{ published, url: messaging.url, arn: TopicArn },
    queues: async () => (await sqs.send(new ListQueuesCommand())).QueueUrls ?? [],
    close: () => messaging.close(),
    async publish({ time, ...event }: RotationEvent & { time: string }) {
      const clock = { now: () => new Date(time), monotonicMs: () => 0, sleep: () => Promise.resolve() };
      await eventPublisher(options, TopicArn, clock, new Redactor(), new AbortController().signal).publish(event);
    },
    /** A queue's ReceiveMessage, with what has arrived taken away. */
    async subscribe(QueueName: string, Attributes: Record<string, string> = {}): Promise<() => Promise<Message[]>> {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      const { Attributes: queue } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
      );
      await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue?.QueueArn, Attributes }));
      return async () => {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
        );
        for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        return Messages;
      };
    },
  };
}

/**
 * Each event in each form of delivery, by path below docs/samples. Published by the real publisher; the queues' forms are what the
 * emulator delivers, those of Lambda and HTTP the same notification in the form that the documentation gives them. What differs each time
 * (ids, signatures) is made the same each time.
 *
 * @see SNS developer guide, "Fanout to Lambda functions", "Parsing Amazon SNS message formats"
 */
export async function sampleDeliveries(): Promise<Map<string, string>> {
  const topic = await startTopic();
  const files = new Map<string, string>();
  try {
    const wrapped = await topic.subscribe('wrapped');
    const raw = await topic.subscribe('raw', { RawMessageDelivery: 'true' });
    for (const event of sampleEvents) {
      const folder = event.type.split('.').slice(-2).join('.');
      await topic.publish(event);
      const [[fromWrapped], [fromRaw]] = [await wrapped(), await raw()];
      const notification = {
        ...JSON.parse(fromWrapped?.Body ?? ''),
        MessageId: messageId,
        TopicArn: topicArn,
        Timestamp: event.time,
        SignatureVersion: '2',
        Signature: 'U0FNUExF',
        SigningCertURL: 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem',
        UnsubscribeURL: `https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${subscription}`,
      };
      const { SigningCertURL: SigningCertUrl, UnsubscribeURL: UnsubscribeUrl, ...rest } = notification;
      const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscription };
      const queued = { MessageId: messageId, ReceiptHandle: 'AQEB' };
      const { Subject, Message = '' } = topic.published.at(-1) ?? {};
      const forms = {
        'sns-to-lambda.json': json({ Records: [{ ...record, Sns: { ...rest, SigningCertUrl, UnsubscribeUrl } }] }),
        'sqs-wrapped.json': json({ ...queued, Body: JSON.stringify(notification) }),
        'sqs-raw.json': json({ ...queued, Body: fromRaw?.Body, MessageAttributes: fromRaw?.MessageAttributes }),
        'http.json': json({
          headers: {
            'content-type': 'text/plain; charset=UTF-8',
            'x-amz-sns-message-type': 'Notification',
            'x-amz-sns-message-id': messageId,
            'x-amz-sns-topic-arn': topicArn,
            'x-amz-sns-subscription-arn': subscription,
          },
          body: JSON.stringify(notification),
        }),
        'email.txt': `Subject: ${Subject}\n\n${JSON.parse(Message).email}\n`,
        'cloudevent.json': json(JSON.parse(fromRaw?.Body ?? '')),
      };
      for (const [name, text] of Object.entries(forms)) files.set(`${folder}/${name}`, text);
    }
    return files;
  } finally {
    await topic.close();
  }
}
