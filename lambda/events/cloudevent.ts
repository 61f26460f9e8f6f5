import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { eventDataKeys, eventDataSchema } from '../rotation/event-data.ts';
import type { Pressed } from '../rotation/rotation-error.ts';
import { eventTypes, type RotationEvent, steps } from '../rotation/rotation-event.ts';

type EventType = RotationEvent['type'];

/** @see CloudEvents 1.0, "Context Attributes" */
const envelopeSchema = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  source: z.string(),
  type: z.enum(eventTypes),
  subject: z.optional(z.string()),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string(),
  data: eventDataSchema,
});

export type CloudEvent = z.infer<typeof envelopeSchema>;

/** The `$id` of the schema of `data`, which is in docs/schemas, in the file with the type's name. */
const dataSchemaUri = (type: EventType) => `urn:schema:${type}`;

const always = eventDataKeys;
const sometimes = eventDataSchema.shape;

function eventOf<Type extends EventType, Carried extends z.core.$ZodShape>(type: Type, carried: Carried) {
  const { secret_arn, secret_name, region, client_id, version_id, attempt } = sometimes;
  const data = z.strictObject({ secret_arn, secret_name, region, client_id, version_id, attempt, ...carried });
  return z.extend(envelopeSchema, { type: z.literal(type), dataschema: z.literal(dataSchemaUri(type)), data });
}

/**
 * What each type carries, and what of it is always there: the contract with subscribers, published as docs/schemas. Nothing is kept from
 * being published by it: after a press an event that says too little is better than none. The tests hold what is published to it.
 */
export const cloudEventSchema = z.discriminatedUnion('type', [
  eventOf('oauth2.client-secret.rotation-started.v1', {
    step: z.enum(['createSecret']),
    previous_version_id: always.previous_version_id,
    existing_tokens_valid: sometimes.existing_tokens_valid,
  }),
  eventOf('oauth2.client-secret.pending.v1', {
    step: z.enum(['createSecret']),
    previous_version_id: always.previous_version_id,
    pressed: sometimes.pressed,
    adopted: sometimes.adopted,
    changeover_ms: sometimes.changeover_ms,
    existing_tokens_valid: always.existing_tokens_valid,
    previous_invalid_after: sometimes.previous_invalid_after,
  }),
  eventOf('oauth2.client-secret.rotated.v1', {
    step: z.enum(['finishSecret']),
    previous_version_id: sometimes.previous_version_id,
    existing_tokens_valid: always.existing_tokens_valid,
    previous_invalid_after: sometimes.previous_invalid_after,
  }),
  eventOf('oauth2.client-secret.rotation-failed.v1', {
    step: z.enum(steps),
    previous_version_id: sometimes.previous_version_id,
    pressed: always.pressed,
    error: always.error,
  }),
  eventOf('oauth2.client-secret.preflight-failed.v1', { step: z.enum(['preflight']), error: always.error }),
  eventOf('oauth2.client-secret.preflight-recovered.v1', { step: z.enum(['preflight']) }),
]);

/**
 * The event in CloudEvents' structured form. The same fact has the same id, however often it is told.
 *
 * @param time RFC 3339
 */
export function toCloudEvent({ type, data }: RotationEvent, time: string): CloudEvent {
  const fact = [type, data.secret_arn, data.version_id, data.step, data.attempt].join('\n');
  return envelopeSchema.parse({
    specversion: '1.0',
    id: createHash('sha256').update(fact).digest('hex'),
    source: data.secret_arn,
    type,
    ...(data.client_id && { subject: data.client_id }),
    time,
    datacontenttype: 'application/json',
    dataschema: dataSchemaUri(type),
    data,
  });
}

const mails: Record<EventType, { subject: string; says: string; next: string }> = {
  'oauth2.client-secret.rotation-started.v1': {
    subject: 'Client secret about to be rotated',
    says: 'A rotation is about to make a new client secret. The one in use then stops working; access tokens live on.',
    next: 'nothing by hand. A program that can mint an access token at will should do so now if its own is old.',
  },
  'oauth2.client-secret.pending.v1': {
    subject: 'New client secret stored',
    says: 'The provider has a new client secret. It can be read under the label AWSPENDING; AWSCURRENT follows once it is proven.',
    next: 'nothing by hand. A program whose client secret is rejected should read AWSPENDING.',
  },
  'oauth2.client-secret.rotated.v1': {
    subject: 'Client secret rotated',
    says: 'The client secret was rotated: AWSCURRENT is the new one, and the old one stops working.',
    next: 'restart what holds the client secret in its environment or in a file. What reads it from Secrets Manager needs nothing.',
  },
  'oauth2.client-secret.rotation-failed.v1': {
    subject: 'Client secret rotation failed',
    says: 'A step of the rotation failed.',
    next: "read the function's log.",
  },
  'oauth2.client-secret.preflight-failed.v1': {
    subject: 'Client secret rotation would fail',
    says: 'The check of the rotation (made daily, and after each rotation) fails. It presses nothing.',
    next: "read the function's log.",
  },
  'oauth2.client-secret.preflight-recovered.v1': {
    subject: 'Client secret rotation works again',
    says: 'The check of the rotation succeeds again.',
    next: 'nothing.',
  },
};

const afterFailure: Record<Pressed, string> = {
  yes: 'A new client secret was made and may not be stored yet: do not rotate by hand, the next try stores what the portal shows.',
  no: 'No new client secret was made by it.',
  unknown: 'A new client secret may have been made: do not rotate by hand, the next try stores what the portal shows.',
};

/** What a person reads in an e-mail: what happened, the next action, and the facts. */
export function toEmailText({ type, time, data }: CloudEvent): string {
  const { error, ...facts } = data;
  const { says, next } = mails[type];
  const rows = Object.entries(facts).map(([name, value]) => `${name}: ${value}`);
  const trouble = error && [
    `What happened: ${error.message} (${error.category})`,
    ...(data.pressed ? [afterFailure[data.pressed]] : []),
    ...(type.endsWith('.rotation-failed.v1') && error.retryable ? ['Secrets Manager tries again by itself.'] : []),
  ];
  return [says, ...(trouble ?? []), `Next: ${error?.action ?? next}`, '', ...rows, `time: ${time}`].join('\n');
}

/** An e-mail's subject: SNS documents "less than 100 characters", and refuses the whole message otherwise. @see SNS API reference, Publish */
export function toEmailSubject({ type, data }: CloudEvent): string {
  return `${mails[type].subject}: ${data.secret_name}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 99);
}
