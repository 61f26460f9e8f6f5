import { randomUUID, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ConsumerError } from '../../consumer/errors.ts';
import { handleRotationEvent } from '../../consumer/rotation-event.ts';
import { toCloudEvent } from '../../lambda/events/cloudevent.ts';
import { eventTypes } from '../../lambda/rotation/rotation-event.ts';
import { rsaCertificate } from './rsa-certificate.ts';
import { startWorld } from './world.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:the-secret-AbCdEf';
const topicArn = 'arn:aws:sns:eu-central-1:000000000000:rotations';
const { privateKey, cert } = rsaCertificate();

/** As lambda/ publishes it. */
const cloudEvent = (type: (typeof eventTypes)[number], data = {}) =>
  toCloudEvent(
    {
      type,
      severity: 'info',
      data: {
        ...{ secret_arn: secretArn, secret_name: 'the-secret', region: 'eu-central-1', step: 'createSecret' },
        ...{ version_id: 'v2', previous_version_id: 'v1', attempt: 1 },
        ...data,
      },
    },
    '2030-01-01T00:00:00.000Z',
  );
const pending = cloudEvent('oauth2.client-secret.pending.v1');
const rotated = cloudEvent('oauth2.client-secret.rotated.v1');

const certificateUrl = () => `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${randomUUID()}.pem`;

function notification(event: unknown, changed: Record<string, unknown> = {}): Record<string, unknown> {
  const message: Record<string, unknown> = {
    Type: 'Notification',
    MessageId: randomUUID(),
    TopicArn: topicArn,
    Subject: 'rotated: the-secret',
    Message: JSON.stringify(event),
    Timestamp: '2030-01-01T00:00:00.000Z',
    SignatureVersion: '2',
    SigningCertURL: certificateUrl(),
    UnsubscribeURL: 'https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe',
    ...changed,
  };
  const keys =
    message.Type === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = keys.flatMap((key) => (message[key] === undefined ? [] : [`${key}\n${message[key]}\n`])).join('');
  return { Signature: sign('sha256', Buffer.from(text), privateKey).toString('base64'), ...message };
}

/** A source that has a token by version v1, and what it was told. */
async function startListener() {
  const { world, source, credentials } = startWorld();
  const access = await source.getToken();
  const fetched: string[] = [];
  const fetch = async (url: unknown) => {
    fetched.push(String(url));
    return new Response(cert);
  };
  const handle = (event: unknown, options = {}) =>
    handleRotationEvent(event, source, { topicArn, fetch: fetch as typeof globalThis.fetch, ...options });
  return {
    ...{ world, source, handle, fetched },
    /** Whether the credentials in memory were forgotten; the token must have stayed. */
    async isChanged() {
      expect(await source.getToken()).toBe(access);
      const reads = world.counts.reads;
      await credentials.getCredentials();
      return world.counts.reads > reads;
    },
  };
}

const sns = (event: unknown) => ({ Records: [{ EventSource: 'aws:sns', Sns: { Message: JSON.stringify(event) } }] });
const sqs = (...bodies: unknown[]) => ({
  Records: bodies.map((body) => ({ eventSource: 'aws:sqs', messageId: randomUUID(), body: JSON.stringify(body) })),
});

describe('a change of the client secret is heard', () => {
  it.each<[string, (event: unknown) => unknown]>([
    ['a Lambda function that SNS invokes', sns],
    ['a Lambda function that SQS invokes, raw', (event) => sqs(event)],
    ['a Lambda function that SQS invokes, wrapped', (event) => sqs(notification(event, { Signature: 'unseen' }))],
    ['who receives from SQS', (event) => ({ ReceiptHandle: 'r', Body: JSON.stringify(event) })],
    ['an HTTP handler', (event) => ({ headers: {}, body: JSON.stringify(notification(event)) })],
    [
      'an HTTP handler behind API Gateway',
      (event) => ({ headers: {}, isBase64Encoded: true, body: btoa(JSON.stringify(notification(event))) }),
    ],
    ['an HTTP handler that has parsed the body', (event) => notification(event)],
    ['an HTTP handler, without a subject', (event) => notification(event, { Subject: undefined })],
    ['who has the CloudEvent', (event) => event],
  ])('by %s, and the live token stays', async (_by, deliver) => {
    const { handle, isChanged } = await startListener();
    for (const event of [pending, rotated]) {
      expect(await handle(deliver(event))).toEqual([
        { type: event.type, id: event.id, outcome: 'credentials-changed' },
      ]);
    }
    expect(await isChanged()).toBe(true);
  });

  it('twice and late, and costs one read', async () => {
    const { world, source, handle } = await startListener();
    for (const event of [rotated, pending, rotated, pending]) await handle(event);
    world.pass(0.7 * 86_400_000);
    world.current = { ...(world.current as { json: unknown }), version: 'v2' } as never;
    await source.getToken({ forceRefresh: true });
    await handle(rotated);
    await handle(rotated);
    await source.getToken({ forceRefresh: true });
    expect(world.counts.reads).toBe(2);
  });
});

it('an imminent press has a token in its last quarter renewed at once, and no other', async () => {
  const started = cloudEvent('oauth2.client-secret.rotation-started.v1');
  const { world, source, handle } = await startListener();
  await handle(started);
  world.pass(0.7 * 86_400_000);
  // Half of its life may be over: nobody may call for it, and all would renew in the same second.
  await handle(started);
  expect(world.counts.mints).toBe(1);
  world.pass(0.1 * 86_400_000);
  expect(await handle(sns(started))).toMatchObject([{ outcome: 'renewed' }]);
  expect((await source.getToken()).token).toBe('canary-token-2');
  world.pass(0.8 * 86_400_000);
  world.verdict = () => 'outage';
  await handle(started);
});

it.each([
  ...eventTypes.slice(3).map((type) => cloudEvent(type)),
  { specversion: '1.0', id: '1', type: 'oauth2.client-secret.rotated.v2', source: 'x' },
  { specversion: '1.0', id: '1', type: 'constructor', source: 'x' },
  cloudEvent('oauth2.client-secret.rotated.v1', {
    secret_name: 'other',
    secret_arn: 'arn:aws:x:y:z:secret:other-AbCdEf',
  }),
])('$type of $source asks nothing of this consumer', async (event) => {
  const { handle, isChanged } = await startListener();
  expect(await handle(event)).toMatchObject([{ outcome: 'ignored', id: event.id }]);
  expect(await isChanged()).toBe(false);
});

it.each([
  ['nothing', undefined],
  ['a text', 'rotated'],
  ['an empty object', {}],
  ['a list', [rotated]],
  ['a record of another service', { Records: [{ eventSource: 'aws:s3' }] }],
  ['no record', { Records: [null] }],
  ['a message that is not JSON', { Records: [{ EventSource: 'aws:sns', Sns: { Message: 'rotated' } }] }],
  ['no message', { Records: [{ EventSource: 'aws:sns' }] }],
  ['no CloudEvent', sns({ type: rotated.type })],
  ['another CloudEvents version', sns({ ...rotated, specversion: '0.3' })],
  ['no data', sns({ ...rotated, data: undefined })],
  ['no version', sns({ ...rotated, data: { secret_name: 'the-secret' } })],
  ['one malformed among good ones', sqs(rotated, rotated, { nothing: true })],
  ['an HTTP body that is not JSON', { headers: {}, body: '<html>' }],
  ['a raw CloudEvent by HTTP, which nobody signed', { headers: {}, body: JSON.stringify(rotated) }],
  ['an HTTP delivery without a key that is signed', notification(rotated, { MessageId: undefined })],
  ['a Lambda event sent to an HTTP handler', { headers: {}, body: JSON.stringify(sns(rotated)) }],
])('%s is malformed and changes nothing', async (_what, event) => {
  const { handle, isChanged, fetched } = await startListener();
  await expect(handle(event)).rejects.toMatchObject({ name: 'ConsumerError', code: 'event-malformed' });
  expect(await isChanged()).toBe(false);
  expect(fetched).toEqual([]);
});

describe('a delivery by HTTP', () => {
  const forgeries: [string, Record<string, unknown>][] = [
    ['signed for another message', { Signature: notification(pending).Signature }],
    ['without a signature', { Signature: undefined }],
    ['of another topic', { TopicArn: topicArn.replace('rotations', 'mine') }],
    ['with signature version 1', { SignatureVersion: '1' }],
    ...[
      'http://sns.eu-central-1.amazonaws.com/a.pem',
      'https://sns.eu-central-1.amazonaws.com.evil.example/a.pem',
      'https://evil.example/sns.eu-central-1.amazonaws.com/a.pem',
      'https://sns.eu-central-1.amazonaws.com@evil.example/a.pem',
      'https://user:pw@sns.eu-central-1.amazonaws.com/a.pem',
      'https://sns.eu-central-1.amazonaws.com:8443/a.pem',
      'https://sns.eu-central-1.amazonaws.com/a.pem?x',
      'https://sns.eu-central-1.amazonaws.com/a.txt',
      'https://s3.eu-central-1.amazonaws.com/a.pem',
      'https://sns-evil.amazonaws.com/a.pem',
      'https://sns.s3.amazonaws.com/a.pem',
      'https://sns.s3-us-west-2.amazonaws.com/a.pem',
      'file:///a.pem',
      undefined,
    ].map((url): [string, Record<string, unknown>] => [`with a certificate from ${url}`, { SigningCertURL: url }]),
  ];
  it.each(forgeries)('%s is refused and changes nothing', async (_what, changed) => {
    const { handle, isChanged, fetched } = await startListener();
    const body = JSON.stringify(notification(rotated, changed));
    await expect(handle({ headers: {}, body })).rejects.toMatchObject({ code: 'event-forged' });
    expect(await isChanged()).toBe(false);
    if ('SigningCertURL' in changed) expect(fetched).toEqual([]);
  });

  it('is refused where a word of it was changed', async () => {
    const { handle, isChanged } = await startListener();
    for (const key of ['Message', 'MessageId', 'Subject', 'Timestamp']) {
      const genuine = notification(rotated);
      const changed = { ...genuine, [key]: `${genuine[key]} ` };
      await expect(handle(changed)).rejects.toMatchObject({ code: 'event-forged' });
    }
    expect(await isChanged()).toBe(false);
  });

  it.each(['us-gov-west-1.amazonaws.com', 'cn-north-1.amazonaws.com.cn', 'ap-southeast-2.amazonaws.com'])(
    'is believed with a certificate from sns.%s',
    async (place) => {
      const { handle } = await startListener();
      const SigningCertURL = `https://sns.${place}/${randomUUID()}.pem`;
      const body = JSON.stringify(notification(rotated, { SigningCertURL }));
      expect(await handle({ headers: {}, body })).toMatchObject([{ outcome: 'credentials-changed' }]);
    },
  );

  it('needs to know its topic', async () => {
    const { handle } = await startListener();
    await expect(handle(notification(rotated), { topicArn: undefined })).rejects.toMatchObject({
      code: 'configuration',
    });
  });

  it('is for later where the certificate cannot be had; once had, it is kept', async () => {
    const { handle, fetched } = await startListener();
    const message = notification(rotated);
    for (const answer of [
      () => Promise.reject(new Error('down')),
      async () => new Response('<html>'),
      async () => new Response(cert, { status: 503 }),
    ]) {
      const error = (await handle(message, { fetch: answer }).catch((thrown) => thrown)) as ConsumerError;
      expect(error.code).toBe('event-unverified');
    }
    await handle(message);
    await handle(message);
    expect(fetched).toEqual([message.SigningCertURL]);
  });

  it('that asks to confirm the subscription says where, once it is proven', async () => {
    const { handle } = await startListener();
    const SubscribeURL = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription';
    const message = notification('', { Type: 'SubscriptionConfirmation', SubscribeURL, Token: 't' });
    expect(await handle(message)).toMatchObject([
      { type: 'SubscriptionConfirmation', outcome: 'ignored', subscribeUrl: SubscribeURL },
    ]);
    await expect(handle({ ...message, Token: 'u' })).rejects.toMatchObject({ code: 'event-forged' });
  });

  it('that tells of the end of the subscription does not say how to undo that, lest it be done', async () => {
    const { handle } = await startListener();
    const SubscribeURL = 'https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription';
    const message = notification('', { Type: 'UnsubscribeConfirmation', SubscribeURL, Token: 't' });
    const { MessageId: id } = message;
    expect(await handle(message)).toEqual([{ type: 'UnsubscribeConfirmation', id, outcome: 'ignored' }]);
  });
});
