import { createHash } from 'node:crypto';
import { z } from 'zod';
import { eventDataSchema, eventTypes, type RotationEvent } from '../rotation/rotation-event.ts';

/** @see CloudEvents 1.0, "Context Attributes" */
export const cloudEventSchema = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  source: z.string(),
  type: z.enum(eventTypes),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json'),
  dataschema: z.string(),
  data: eventDataSchema,
});

export type CloudEvent = z.infer<typeof cloudEventSchema>;

/**
 * The event in CloudEvents' structured form. The same fact has the same id, however often it is told.
 *
 * @param time RFC 3339
 */
export function toCloudEvent({ type, data }: RotationEvent, time: string): CloudEvent {
  const fact = [type, data.secret_arn, data.version_id, data.step, data.attempt].join('\n');
  return cloudEventSchema.parse({
    specversion: '1.0',
    id: createHash('sha256').update(fact).digest('hex'),
    source: data.secret_arn,
    type,
    ...(data.client_id && { subject: data.client_id }),
    time,
    datacontenttype: 'application/json',
    dataschema: `urn:schema:${type}`,
    data,
  });
}

const headlines: Record<RotationEvent['type'], string> = {
  'oauth2.client-secret.rotation-started.v1':
    'The client secret is about to be rotated. Mint an access token now if yours is old.',
  'oauth2.client-secret.pending.v1': 'The new client secret can be read under the label AWSPENDING.',
  'oauth2.client-secret.rotated.v1':
    'The client secret was rotated. Drop the old one; restart what holds it in its environment.',
  'oauth2.client-secret.rotation-failed.v1': 'A step of the rotation failed.',
  'oauth2.client-secret.preflight-failed.v1':
    'The daily rehearsal of the rotation fails. The client secret in use is not affected.',
  'oauth2.client-secret.preflight-recovered.v1': 'The daily rehearsal of the rotation succeeds again.',
};

/** What a person reads in an e-mail: one sentence, the next action, and the facts. */
export function toEmailText(event: CloudEvent): string {
  const { error, ...facts } = event.data;
  const rows = Object.entries(facts).map(([name, value]) => `${name}: ${value}`);
  const trouble = error ? [`What happened: ${error.message}`, `Next: ${error.action}`, ''] : [];
  return [headlines[event.type], '', ...trouble, ...rows, `time: ${event.time}`].join('\n');
}

/** An e-mail's subject: SNS takes 100 ASCII characters at most. @see SNS API reference, Publish */
export function toEmailSubject(event: CloudEvent): string {
  const what = event.type.split('.').at(-2);
  return `${what}: ${event.data.secret_name}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
