import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { toCloudEvent, toEmailSubject, toEmailText } from '../../../lambda/events/cloudevent.ts';
import type { RotationEvent } from '../../../lambda/rotation/rotation-event.ts';

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
  expect(text).toContain('What happened: no button named Rotate\nNext: correct the portal profile');
  expect(text).toContain('pressed: unknown');
  expect(toEmailSubject(event)).toBe('rotation-failed: tradeaware/client');
});
