import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { cloudEventSchema, toCloudEvent, toEmailSubject, toEmailText } from '../../../lambda/events/cloudevent.ts';
import { eventTypes, type RotationEvent } from '../../../lambda/rotation/rotation-event.ts';

const secretArn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:tradeaware/client-AbCdEf';

const failed: RotationEvent = {
  type: 'oauth2.client-secret.rotation-failed.v1',
  severity: 'critical',
  data: {
    secret_arn: secretArn,
    secret_name: 'tradeaware/client',
    region: 'eu-central-1',
    client_id: 'c1',
    version_id: 'v2',
    step: 'createSecret',
    attempt: 1,
    pressed: 'unknown',
    error: {
      category: 'portal-changed',
      message: 'no button named Rotate',
      retryable: false,
      action: 'correct the portal profile',
    },
  },
};

it('an event is a CloudEvent whose id is the fact’s, at whatever time it is told', () => {
  const first = toCloudEvent(failed, '2026-01-01T00:00:00.000Z');
  const again = toCloudEvent(failed, '2026-01-02T00:00:00.000Z');
  const fact = `${failed.type}\n${secretArn}\nv2\ncreateSecret\n1`;
  expect(first).toMatchObject({
    specversion: '1.0',
    source: secretArn,
    subject: 'c1',
    type: failed.type,
    data: failed.data,
  });
  expect(first.id).toBe(createHash('sha256').update(fact).digest('hex'));
  expect(again.id).toBe(first.id);
  expect(toCloudEvent({ ...failed, data: { ...failed.data, attempt: 2 } }, first.time).id).not.toBe(first.id);
});

it('an event with a key that the contract does not have is not sent', () => {
  const data = { ...failed.data, client_secret: 'canary' } as RotationEvent['data'];
  expect(() => toCloudEvent({ ...failed, data }, '2026-01-01T00:00:00.000Z')).toThrow(/client_secret/);
});

it('an e-mail says what happened and what to do next', () => {
  const event = toCloudEvent(failed, '2026-01-01T00:00:00.000Z');
  const text = toEmailText(event);
  expect(text.split('\n').slice(0, 5)).toEqual([
    'A step of the rotation failed.',
    'What happened: no button named Rotate (portal-changed)',
    'A new client secret may have been made: do not rotate by hand, the next try stores what the portal shows.',
    'Next: correct the portal profile',
    '',
  ]);
  expect(text).toContain('pressed: unknown');
  expect(toEmailSubject(event)).toBe('Client secret rotation failed: tradeaware/client');
});

it.each(eventTypes)('an e-mail of %s has a next action, and a subject that SNS takes', (type) => {
  const event = toCloudEvent(
    { ...failed, type, data: { ...failed.data, secret_name: 'é'.repeat(120) } },
    '2026-01-01T00:00:00.000Z',
  );
  expect(toEmailText(event)).toMatch(/^Next: \S/m);
  expect(toEmailSubject(event)).toMatch(/^[A-Z][\x20-\x7e]{9,98}$/);
});

it.each([
  ['without what it always carries', { error: undefined }],
  ['with what another type carries', { changeover_ms: 5 }],
])('the contract of a type refuses an event %s', (_what, data) => {
  const event = toCloudEvent(failed, '2026-01-01T00:00:00.000Z');
  expect(cloudEventSchema.safeParse(event).success).toBe(true);
  expect(cloudEventSchema.safeParse({ ...event, data: { ...event.data, ...data } }).success).toBe(false);
});
