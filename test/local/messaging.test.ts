import { S3 } from '@aws-sdk/client-s3';
import {
  CreateTopicCommand,
  NotFoundException,
  PublishCommand,
  InvalidParameterException as RefusedPublish,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type LocalMessaging, startMessaging } from '../../local/messaging.ts';

let messaging: LocalMessaging;
let s3: S3;
let sns: SNSClient;
let sqs: SQSClient;

beforeAll(async () => {
  messaging = await startMessaging();
  // As a Lambda has it: no option in the code, all from the environment.
  for (const service of ['S3', 'SNS', 'SQS']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, messaging.url);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'a');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'b');
  s3 = new S3();
  sns = new SNSClient();
  sqs = new SQSClient();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await messaging.close();
});

const rotatedOnly = JSON.stringify({ type: ['rotated'] });
const attributes = (type: string) => ({ type: { DataType: 'String', StringValue: type } });

async function topic(name: string): Promise<string> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  if (!TopicArn) throw new Error('no topic');
  return TopicArn;
}

/** A queue subscribed to the topic, and what the next message in it is. */
async function subscriber(TopicArn: string, Name: string, Attributes: Record<string, string> = {}) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: Name }));
  const { Attributes: queue } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue?.QueueArn, Attributes }));
  return async (): Promise<Message | undefined> => {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] }),
    );
    return Messages?.[0];
  };
}

describe('messaging', () => {
  test('listens on 127.0.0.1 alone', async () => {
    const elsewhere = `${messaging.url.replace('127.0.0.1', '127.0.0.2')}/health`;
    await expect(fetch(elsewhere, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow();
  });

  test("a subscribed queue receives a message in SNS's envelope, or bare with its attributes where delivery is raw", async () => {
    const TopicArn = await topic('delivery');
    const wrapped = await subscriber(TopicArn, 'wrapped');
    const raw = await subscriber(TopicArn, 'raw', { RawMessageDelivery: 'true' });

    await sns.send(new PublishCommand({ TopicArn, Message: 'hello', MessageAttributes: attributes('rotated') }));

    expect(JSON.parse((await wrapped())?.Body ?? '')).toMatchObject({
      Type: 'Notification',
      TopicArn,
      Message: 'hello',
      MessageAttributes: { type: { Type: 'String', Value: 'rotated' } },
    });
    const bare = await raw();
    expect(bare?.Body).toBe('hello');
    expect(bare?.MessageAttributes).toMatchObject(attributes('rotated'));
  });

  test('a filter policy lets only messages with its attributes through', async () => {
    const TopicArn = await topic('filtered');
    const next = await subscriber(TopicArn, 'filtered', { RawMessageDelivery: 'true', FilterPolicy: rotatedOnly });

    await sns.send(new PublishCommand({ TopicArn, Message: 'no', MessageAttributes: attributes('pending') }));
    await sns.send(new PublishCommand({ TopicArn, Message: 'no', MessageAttributes: {} }));
    await sns.send(new PublishCommand({ TopicArn, Message: 'yes', MessageAttributes: attributes('rotated') }));

    expect((await next())?.Body).toBe('yes');
  });

  test('with MessageStructure json a queue receives its own text, else the default, filtered by attributes as ever', async () => {
    const TopicArn = await topic('structured');
    const next = await subscriber(TopicArn, 'structured', { RawMessageDelivery: 'true', FilterPolicy: rotatedOnly });
    const publish = async (texts: object) => {
      const Message = JSON.stringify(texts);
      const MessageAttributes = attributes('rotated');
      await sns.send(new PublishCommand({ TopicArn, Message, MessageStructure: 'json', MessageAttributes }));
      return (await next())?.Body;
    };

    expect(await publish({ default: 'for everybody', sqs: '{"for":"queues"}', email: 'for people' })).toBe(
      '{"for":"queues"}',
    );
    expect(await publish({ default: 'for everybody & <all>', email: 'for people' })).toBe('for everybody & <all>');
    expect(await publish({ default: 'for everybody', sqs: 7 })).toBe('for everybody');
  });

  test.each([
    ['is not JSON', 'plain text', 'failed to parse'],
    ['has no default text', '{"email":"for people"}', 'No default entry'],
    ['has a default that is no text', '{"default":{}}', 'No default entry'],
  ])('a structured message that %s is refused as InvalidParameter', async (_, Message, reason) => {
    const TopicArn = await topic('refused');
    const refused = sns.send(new PublishCommand({ TopicArn, Message, MessageStructure: 'json' }));
    await expect(refused).rejects.toThrow(RefusedPublish);
    await expect(refused).rejects.toThrow(reason);
  });

  test('publishing to a topic that does not exist is NotFound, structured or not', async () => {
    const TopicArn = 'arn:aws:sns:eu-central-1:000000000000:nowhere';
    const Message = '{"default":"hello"}';
    await expect(sns.send(new PublishCommand({ TopicArn, Message }))).rejects.toThrow(NotFoundException);
    await expect(sns.send(new PublishCommand({ TopicArn, Message, MessageStructure: 'json' }))).rejects.toThrow(
      NotFoundException,
    );
  });

  test('a bucket keeps what is put into it', async () => {
    await s3.createBucket({ Bucket: 'evidence' });
    await s3.putObject({ Bucket: 'evidence', Key: 'a/outline.txt', Body: 'heading "Danger Zone"' });
    const { Body } = await s3.getObject({ Bucket: 'evidence', Key: 'a/outline.txt' });
    expect(await Body?.transformToString()).toBe('heading "Danger Zone"');
  });
});
