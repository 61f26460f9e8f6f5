/** The process of one strategy, which bench/availability/measure.ts starts: many consumers that get their tokens in the same way. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { handleRotationEvent } from '../consumer/index.ts';
import { type ConsumerParts, libraryConsumer, naiveConsumer, startLoad } from '../local/load.ts';
import type { Order, Report } from './availability/measure.ts';

// A parent that died wants nothing more.
process.once('disconnect', () => process.exit(1));
process.once('message', (order: Order) => void run(order));

async function run(order: Order): Promise<void> {
  const access = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const client = new SecretsManagerClient({ ...access, endpoint: order.secretsManagerUrl });
  let secretReads = 0;
  const count = <T>(next: T): T => {
    secretReads += 1;
    return next;
  };
  // By attempt: a retry of the SDK is a request too.
  client.middlewareStack.add((next) => (args) => count(next(args)), { step: 'deserialize' });
  let tokensMinted = 0;
  const parts: ConsumerParts = {
    secretId: order.secretId,
    client,
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (response.ok) tokensMinted += 1;
      return response;
    },
  };

  const { strategy, apiUrl, consumers, callsPerSecond, consumerLifeMs, hourMs, rotationWait } = order;
  const library = () => libraryConsumer(parts, { maxAgeMs: hourMs, rotationWait });
  const naive = (secretMaxAgeMs: number, readsAgainWhenRejected = false) =>
    naiveConsumer(parts, { secretMaxAgeMs, readsAgainWhenRejected, startsInMidLife: true });
  const newConsumer = {
    environment: () => naive(Number.POSITIVE_INFINITY),
    cached: () => naive(hourMs),
    'each-token': () => naive(0),
    'when-rejected': () => naive(Number.POSITIVE_INFINITY, true),
    library,
    'library-and-events': library,
    'cold-starts': library,
  }[strategy];
  // What it loads at its first read is not what a rotation costs.
  await client.send(new GetSecretValueCommand({ SecretId: order.secretId }));
  secretReads = 0;
  const load = startLoad({ apiUrl, consumers, callsPerSecond, newConsumer, consumerLifeMs });

  const listening = new AbortController();
  const { queueUrl: QueueUrl } = order;
  const sqs = new SQSClient({ ...access, endpoint: order.messagingUrl });
  const listen = async () => {
    while (QueueUrl && !listening.signal.aborted) {
      const receive = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(receive, { abortSignal: listening.signal });
      for (const message of Messages) {
        if (strategy === 'environment' && message.Body?.includes('.rotated.v1"')) load.restart();
        if (strategy === 'library-and-events') {
          for (const { source } of load.running) if (source) await handleRotationEvent(message, source);
        }
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
    }
  };
  const listened = listen().catch((error: unknown) => {
    if (!listening.signal.aborted) throw error;
  });

  process.once('message', async () => {
    const tally = await load.stop();
    listening.abort();
    await listened;
    const report: Report = { ...tally, secretReads, tokensMinted };
    process.send?.(report, () => process.exit(0));
  });
  process.send?.('running');
}
