/**
 * docs/events.md, docs/schemas, docs/samples and consumer/rotation-events.ts are made here. After a change of the contract:
 * `npx vitest run test/docs/events.test.ts -u`, and read what changed.
 */
import { randomUUID, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AccessTokenSource, handleRotationEvent, type RotationEvent } from '../../consumer/index.ts';
import { rsaCertificate } from '../consumer/rsa-certificate.ts';
import { keyTable, schemas, types, typesModule } from './event-contract.ts';
import { fenced, filled, json, table } from './page.ts';
import { sampleDeliveries, sampleEvents, startTopic, topicArn } from './sample-deliveries.ts';

const short = (type: string) => type.split('.').slice(-2).join('.');
const read = (path: string) => readFileSync(path, 'utf8');
const pagePath = 'docs/events.md';

let samples: ReadonlyMap<string, string>;
const sampleOf = (type: string, form: string) => samples.get(`${short(type)}/${form}`) ?? '';

beforeAll(async () => {
  samples = await sampleDeliveries();
});

describe('what is committed is what the code makes', () => {
  it.each(types)('the JSON Schema of %s', async (type) => {
    await expect(json(schemas.get(type))).toMatchFileSnapshot(`../../docs/schemas/${type}.json`);
  });

  it.each(types.map(short))('the samples of %s', async (type) => {
    const ofType = [...samples].filter(([path]) => path.startsWith(`${type}/`));
    expect(ofType).toHaveLength(6);
    for (const [path, text] of ofType) await expect(text).toMatchFileSnapshot(`../../docs/samples/${path}`);
  });

  it('the TypeScript types', async () => {
    await expect(typesModule()).toMatchFileSnapshot('../../consumer/rotation-events.ts');
  });

  it('the page', async () => {
    const severities = table([
      ['type', 'severity in the sample', 'subject of its e-mail'],
      ...sampleEvents.map(({ type, severity }) => {
        const [, subject = ''] = /^Subject: (.*): /.exec(sampleOf(type, 'email.txt')) ?? [];
        return [`[\`${short(type)}\`](schemas/${type}.json)`, severity, subject];
      }),
    ]);
    const mails = sampleEvents.map(({ type }) => fenced('text', sampleOf(type, 'email.txt')));
    const parts = {
      types: severities,
      keys: keyTable(),
      event: fenced('json', sampleOf('oauth2.client-secret.rotated.v1', 'cloudevent.json')),
      'e-mails': mails.join('\n\n'),
    };
    await expect(filled(read(pagePath), parts)).toMatchFileSnapshot(`../../${pagePath}`);
  });

  it('nothing else lies beside it', () => {
    expect(readdirSync('docs/schemas').toSorted()).toEqual(types.map((type) => `${type}.json`).toSorted());
    expect(readdirSync('docs/samples').toSorted()).toEqual(types.map(short).toSorted());
    for (const type of types) expect(readdirSync(`docs/samples/${short(type)}`)).toHaveLength(6);
  });

  it('a page that leaves a part out, or names one that nobody makes, is noticed', () => {
    expect(() => filled('', { keys: '' })).toThrow('no place for keys');
    expect(() => filled('<!-- made: songs -->\n<!-- end -->', {})).toThrow('names songs');
  });
});

describe('a subscriber that goes by the JSON Schema', () => {
  const committed = (type: string) => z.fromJSONSchema(JSON.parse(read(`docs/schemas/${type}.json`)));
  const eventOf = (type: string) => JSON.parse(read(`docs/samples/${short(type)}/cloudevent.json`));

  it.each(types)('takes %s, with keys and categories that are not invented yet, and nothing that is not it', (type) => {
    const schema = committed(type);
    const event = eventOf(type);
    const { data } = event;
    const later = {
      ...event,
      traceparent: 'x',
      data: { ...data, region_pair: 'x', error: data.error && { ...data.error, category: 'x' } },
    };
    expect(schema.safeParse(event).error).toBeUndefined();
    expect(schema.safeParse(later).error).toBeUndefined();
    const { version_id: _, ...without } = data;
    for (const wrong of [
      { ...event, data: without },
      { ...event, type: `${type}x` },
      { ...event, id: 5 },
    ])
      expect(schema.safeParse(wrong).success).toBe(false);
  });

  it('finds the schema of data by dataschema: the $id of the file with the name of the type', () => {
    for (const type of types) {
      const { dataschema } = eventOf(type);
      expect(dataschema).toBe(`urn:schema:${type}`);
      expect(JSON.parse(read(`docs/schemas/${type}.json`)).properties.data.$id).toBe(dataschema);
    }
  });

  it('has TypeScript types of the same', () => {
    const event: RotationEvent<'oauth2.client-secret.rotated.v1'> = eventOf('oauth2.client-secret.rotated.v1');
    const any: RotationEvent = event;
    expect(any.type === 'oauth2.client-secret.rotated.v1' && any.data.existing_tokens_valid).toBe(true);
    // @ts-expect-error only a failure has one
    expect(event.data.error).toBeUndefined();
  });
});

describe('the consumer library understands each sample', () => {
  const { privateKey, cert } = rsaCertificate();
  const outcomes: Record<string, string> = {
    'oauth2.client-secret.rotation-started.v1': 'renewed',
    'oauth2.client-secret.pending.v1': 'credentials-changed',
    'oauth2.client-secret.rotated.v1': 'credentials-changed',
  };

  /** The sample as SNS would have signed it, by a key whose certificate is at an address of its own. */
  function signed(text: string) {
    const { headers, body } = JSON.parse(text) as { headers: object; body: string };
    const message = JSON.parse(body) as Record<string, string>;
    const keys = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
    const toSign = keys.map((key) => `${key}\n${message[key]}\n`).join('');
    const Signature = sign('sha256', Buffer.from(toSign), privateKey).toString('base64');
    const SigningCertURL = `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${randomUUID()}.pem`;
    return { headers, body: JSON.stringify({ ...message, Signature, SigningCertURL }) };
  }

  it.each(
    types.flatMap((type) => ['sns-to-lambda', 'sqs-wrapped', 'sqs-raw', 'http'].map((form) => [type, form] as const)),
  )('%s by %s', async (type, form) => {
    const text = read(`docs/samples/${short(type)}/${form}.json`);
    const told: string[] = [];
    const source: Pick<AccessTokenSource, 'secretId' | 'rotationStarted' | 'credentialsChanged'> = {
      secretId: 'tradeaware/client',
      rotationStarted: async () => void told.push('renewed'),
      credentialsChanged: (version) => void told.push(version),
    };
    const fetch = async () => new Response(cert);
    const event = form === 'http' ? signed(text) : JSON.parse(text);
    const [handled] = await handleRotationEvent(event, source, { topicArn, fetch });
    expect(handled).toMatchObject({ type, outcome: outcomes[type] ?? 'ignored' });
    expect(told).toHaveLength(type in outcomes ? 1 : 0);
  });

  it('and refuses the HTTP sample as it lies there, whose signature is none', async () => {
    const sample = JSON.parse(read('docs/samples/rotated.v1/http.json'));
    const source = { secretId: 'x', rotationStarted: async () => {}, credentialsChanged: () => {} };
    const fetch = async () => new Response(cert);
    await expect(handleRotationEvent(sample, source, { topicArn, fetch })).rejects.toMatchObject({
      code: 'event-forged',
    });
  });
});

describe('a filter policy of the page', () => {
  const [, section = ''] = read(pagePath).split(/\n## (?:Filter policies|E-mail)\n/);
  const policies = [...section.matchAll(/\n([^\n]*):\n\n```json\n(.*?)\n```\n\nLets through: ([^\n]*)\n/gs)].map(
    ([, purpose = '', policy = '', through = '']) => ({
      purpose,
      policy,
      through: [...through.matchAll(/`([\w.-]+)`/g)].map(([, type = '']) => type),
    }),
  );
  let topic: Awaited<ReturnType<typeof startTopic>>;
  beforeAll(async () => {
    topic = await startTopic();
  });
  afterAll(() => topic.close());

  it('is found by this test', () => expect(policies.length).toBeGreaterThan(3));

  it.each(policies)('$purpose', async ({ policy, through }) => {
    const receive = await topic.subscribe(`q-${randomUUID()}`, { FilterPolicy: policy, RawMessageDelivery: 'true' });
    for (const event of sampleEvents) await topic.publish(event);
    const bodies: string[] = [];
    for (let got = await receive(); got.length > 0; got = await receive())
      bodies.push(...got.map(({ Body = '' }) => Body));
    const received = bodies.map((body) => short(JSON.parse(body).type));
    expect(received.toSorted()).toEqual(through.toSorted());
  });
});
