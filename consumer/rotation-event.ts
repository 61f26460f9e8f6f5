import { createVerify, X509Certificate } from 'node:crypto';
import type { AccessTokenSource } from './client-credentials-tokens.ts';
import { ConsumerError, kindOf } from './errors.ts';
import { isObject, isText, type JsonObject as Json, objectIn } from './json.ts';

/** What became of one event: `ignored` for a type that asks nothing of a consumer or is not known, or for another secret. */
export interface HandledEvent {
  /** The CloudEvent's; SNS's message type for what is not a CloudEvent. */
  type: string;
  id: string;
  outcome: 'renewed' | 'credentials-changed' | 'ignored';
  /** Where SNS asks to confirm a subscription to `topicArn`: GET it to do so. */
  subscribeUrl?: string;
}

export interface HandleRotationEventOptions {
  /** Deliveries by HTTP: the one topic to believe. Needed, since a signature proves SNS as the sender, and anybody has a topic. */
  topicArn?: string;
  /** For SNS's certificate. Default: the platform's. */
  fetch?: typeof globalThis.fetch;
}

/**
 * Tells a token source of a rotation. `event` is one of
 * - a Lambda function's event from SNS or from SQS, raw or not; or a message that SQS's ReceiveMessage answered: believed, since IAM and
 *   the queue's policy say who may send;
 * - a CloudEvent, parsed: believed, since the caller has taken it from somewhere;
 * - an HTTP delivery from SNS, `{ headers, body }` or the parsed body: believed with a signature of version 2 for `topicArn` only. In an
 *   HTTP handler pass `{ headers, body }`: a parsed body might as well be one of the forms above.
 *
 * Any order, twice or late: nothing is ever dropped but credentials in memory, to be read again. All events of a batch are looked at before
 * the first has an effect.
 *
 * @throws {ConsumerError} event-malformed, event-forged, event-unverified (try again later), configuration
 */
export async function handleRotationEvent(
  event: unknown,
  source: Pick<AccessTokenSource, 'secretId' | 'rotationStarted' | 'credentialsChanged'>,
  options: HandleRotationEventOptions = {},
): Promise<HandledEvent[]> {
  const messages = await messagesOf(event, options);
  const facts = messages.map((message) => (isControl(message) ? message : factOf(message)));
  const handled: HandledEvent[] = [];
  for (const fact of facts) handled.push('outcome' in fact ? fact : await tell(fact, source));
  return handled;
}

const isControl = (message: Json | HandledEvent): message is HandledEvent => 'outcome' in message;

/** The CloudEvents in a delivery, or what SNS asks in place of one. */
async function messagesOf(event: unknown, options: HandleRotationEventOptions): Promise<(Json | HandledEvent)[]> {
  const delivery = asObject(event, 'the event');
  if (Array.isArray(delivery.Records)) {
    return delivery.Records.map((given: unknown) => {
      const record = asObject(given, 'a record');
      if (record.EventSource === 'aws:sns') return parse(asObject(record.Sns, 'Sns').Message, 'Sns.Message');
      if (record.eventSource === 'aws:sqs') return ofQueue(record.body);
      throw malformed('a record is neither from SNS nor from SQS');
    });
  }
  if ('headers' in delivery && 'body' in delivery) {
    const { body, isBase64Encoded } = delivery;
    const text = isBase64Encoded === true ? Buffer.from(String(body), 'base64').toString() : body;
    return [await signed(typeof text === 'string' ? parse(text, 'the body') : asObject(text, 'the body'), options)];
  }
  if ('ReceiptHandle' in delivery) return [ofQueue(delivery.Body)];
  return ['specversion' in delivery ? delivery : await signed(delivery, options)];
}

function ofQueue(body: unknown): Json {
  const message = parse(body, 'the queue message');
  return message.Type === 'Notification' ? parse(message.Message, 'Message') : message;
}

type Fact = { type: string; id: string; secrets: (string | undefined)[]; versionId: string | undefined };

/** @see CloudEvents 1.0, "Context Attributes" */
function factOf(event: Json): Fact {
  const { specversion, id, type, source } = event;
  if (specversion !== '1.0' || !isText(id) || !isText(type) || !isText(source)) {
    throw malformed('it is not a CloudEvent 1.0 with id, type and source');
  }
  if (!effects.has(type)) return { type, id, secrets: [], versionId: undefined };
  const { secret_name: name, version_id: versionId } = asObject(event.data, 'data');
  if (!isText(name) || !isText(versionId)) throw malformed(`${type} without secret_name or version_id`);
  return { type, id, secrets: [source, source.replace(/-[^-]{6}$/, ''), name], versionId };
}

const effects = new Map<string, 'renewed' | 'credentials-changed'>([
  ['oauth2.client-secret.rotation-started.v1', 'renewed'],
  ['oauth2.client-secret.pending.v1', 'credentials-changed'],
  ['oauth2.client-secret.rotated.v1', 'credentials-changed'],
]);

async function tell(
  { type, id, secrets, versionId }: Fact,
  source: Pick<AccessTokenSource, 'secretId' | 'rotationStarted' | 'credentialsChanged'>,
): Promise<HandledEvent> {
  const outcome = effects.get(type);
  const isAboutAnother = source.secretId !== undefined && !secrets.includes(source.secretId);
  if (!outcome || !versionId || isAboutAnother) return { type, id, outcome: 'ignored' };
  if (outcome === 'renewed') await source.rotationStarted();
  else source.credentialsChanged(versionId);
  return { type, id, outcome };
}

/**
 * The message in an SNS delivery by HTTP, once its signature is proven.
 *
 * @see SNS developer guide, "Verifying the signatures of Amazon SNS messages"
 */
async function signed(message: Json, { topicArn, fetch }: HandleRotationEventOptions): Promise<Json | HandledEvent> {
  const { Type: type, MessageId: id, SubscribeURL: subscribeUrl } = message;
  const keys = signedKeys.get(String(type));
  if (!keys) throw malformed('it is none of the documented forms');
  if (topicArn === undefined) throw new ConsumerError('configuration', 'a delivery by HTTP needs the option topicArn');
  if (message.TopicArn !== topicArn) throw forged('it is of another topic');
  if (message.SignatureVersion !== '2') {
    throw forged("its SignatureVersion is not 2; set the topic's attribute SignatureVersion to 2");
  }
  const lines = keys
    .filter((key) => key !== 'Subject' || message[key] !== undefined)
    .map((key) => {
      if (typeof message[key] !== 'string') throw malformed(`${key} is missing`);
      return `${key}\n${message[key]}\n`;
    });
  const certificate = await certificateAt(message.SigningCertURL, fetch ?? globalThis.fetch);
  const verify = createVerify('RSA-SHA256').update(lines.join(''), 'utf8');
  if (!verify.verify(certificate.publicKey, String(message.Signature), 'base64'))
    throw forged('its signature is wrong');
  if (type === 'Notification') return parse(message.Message, 'Message');
  const control: HandledEvent = { type: String(type), id: String(id), outcome: 'ignored' };
  // Of an UnsubscribeConfirmation it would subscribe again.
  return type === 'SubscriptionConfirmation' ? { ...control, subscribeUrl: String(subscribeUrl) } : control;
}

const confirmation = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
const signedKeys = new Map<string, readonly string[]>([
  ['Notification', ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']],
  ['SubscriptionConfirmation', confirmation],
  ['UnsubscribeConfirmation', confirmation],
]);

/** By URL. SNS has one or two at a time for a region. */
const certificates = new Map<string, X509Certificate>();
const mostCertificates = 16;
const mostCertificateBytes = 16_384;
/** With a region in it: sns.s3.amazonaws.com is anybody's, a bucket by the name of sns. */
const hostOfSns = /^sns\.[a-z]+(-[a-z]+)+-\d+\.amazonaws\.com(\.cn)?$/;

async function certificateAt(given: unknown, fetch: typeof globalThis.fetch): Promise<X509Certificate> {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined;
  const isOfSns =
    url?.protocol === 'https:' &&
    hostOfSns.test(url.host) &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    url.pathname.endsWith('.pem');
  if (!isOfSns) throw forged("its SigningCertURL is not SNS's");
  const known = certificates.get(url.href);
  if (known) return known;
  let certificate: X509Certificate;
  try {
    const response = await fetch(url.href, { redirect: 'error', signal: AbortSignal.timeout(5_000) });
    const pem = await response.text();
    if (!response.ok || pem.length > mostCertificateBytes) throw new Error(`status ${response.status}`);
    certificate = new X509Certificate(pem);
  } catch (error) {
    throw new ConsumerError('event-unverified', `the event's certificate could not be fetched: ${kindOf(error)}`);
  }
  if (certificates.size >= mostCertificates) certificates.clear();
  certificates.set(url.href, certificate);
  return certificate;
}

function parse(text: unknown, what: string): Json {
  const object = objectIn(String(text));
  if (object) return object;
  throw malformed(`${what} is not a JSON object`);
}

function asObject(value: unknown, what: string): Json {
  if (isObject(value)) return value;
  throw malformed(`${what} is not an object`);
}

const malformed = (why: string) => new ConsumerError('event-malformed', `rotation event: ${why}`);
const forged = (why: string) => new ConsumerError('event-forged', `rotation event refused: ${why}`);
