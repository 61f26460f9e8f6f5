import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventPublisher } from '../../../lambda/aws/event-publisher.ts';
import type { Clock } from '../../../lambda/rotation/ports.ts';
import { Redactor } from '../../../lambda/rotation/redact.ts';

/** A publisher to an SNS that answers everything so. @see SNS API reference, "Common Error Types" */
async function startPublisher(status: number, code: string) {
  const body = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`;
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const sdk = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const topic = 'arn:aws:sns:eu-west-1:000000000000:topic';
  return eventPublisher(sdk, topic, {} as Clock, new Redactor(), new AbortController().signal);
}

it.each([
  ['that does not exist', 404, 'NotFound', /^create what is missing/],
  ['whose ARN is another region’s or none', 400, 'InvalidParameter', /^correct ROTATION_TOPIC_ARN/],
])('a topic %s certainly takes no event', async (_what, status, code, action) => {
  const publisher = await startPublisher(status, code);
  await expect(publisher.prove()).rejects.toMatchObject({
    category: 'configuration',
    retryable: false,
    pressed: 'no',
    action: expect.stringMatching(action),
  });
});

it.each([
  ['that may not be looked at', 403, 'AuthorizationError'],
  ['of a service in trouble', 500, 'InternalError'],
])('a topic %s may take events all the same', async (_what, status, code) => {
  const publisher = await startPublisher(status, code);
  await expect(publisher.prove()).resolves.toBeUndefined();
});
