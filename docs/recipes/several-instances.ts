// One of several instances behind a load balancer: each hears every event, through a queue of its own.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SNSClient, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import {
  clientCredentialsTokens,
  handleRotationEvent,
  secretsManagerCredentials,
  withAccessToken,
} from 'oauth2-rotation-consumer';

const { SECRET_NAME = '', TOPIC_ARN = '', API_URL = '', PORT = '8080' } = process.env;

const source = clientCredentialsTokens({ credentials: secretsManagerCredentials({ secretId: SECRET_NAME }) });
const call = withAccessToken(source);
const sns = new SNSClient();
const sqs = new SQSClient();
const stopping = new AbortController();

// From a queue that they share, or by HTTP through the load balancer, only one of the instances would hear.
async function subscribe(): Promise<{ QueueUrl: string; unsubscribe: () => Promise<void> }> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `rotation-events-${randomUUID()}` }));
  const { Attributes: { QueueArn = '' } = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  const Statement = {
    Effect: 'Allow',
    Principal: { Service: 'sns.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: QueueArn,
    Condition: { ArnEquals: { 'aws:SourceArn': TOPIC_ARN } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [Statement] });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy, MessageRetentionPeriod: '3600' } }));
  const { SubscriptionArn } = await sns.send(
    new SubscribeCommand({
      ...{ TopicArn: TOPIC_ARN, Protocol: 'sqs', Endpoint: QueueArn, ReturnSubscriptionArn: true },
      Attributes: { RawMessageDelivery: 'true', FilterPolicy: JSON.stringify({ secret_name: [SECRET_NAME] }) },
    }),
  );
  const unsubscribe = async () => {
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
  };
  return { QueueUrl, unsubscribe };
}

async function listen(QueueUrl: string): Promise<void> {
  const { signal } = stopping;
  while (!signal.aborted) {
    try {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }),
        { abortSignal: signal },
      );
      for (const message of Messages) {
        // Taken away first: an event is a hint, and one that cannot be read should not come again.
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        for (const { type, outcome } of await handleRotationEvent(message, source)) console.log(type, outcome);
      }
    } catch (error) {
      if (signal.aborted) return;
      console.error(error);
      await delay(5_000, undefined, { signal }).catch(() => undefined);
    }
  }
}

const server = createServer(async (_request, response) => {
  try {
    const answer = await call(API_URL);
    response.writeHead(answer.status).end(await answer.text());
  } catch (error) {
    console.error(error);
    response.writeHead(503).end();
  }
});

await source.getToken();
// Without a queue it works as well, only less quickly.
const subscription = await subscribe().catch((error: unknown) => console.error(error));
const listening = subscription && listen(subscription.QueueUrl);
server.listen(Number(PORT), () => console.log(`listening on ${(server.address() as AddressInfo).port}`));

process.once('SIGTERM', async () => {
  server.close();
  stopping.abort();
  await listening;
  await subscription?.unsubscribe();
});
