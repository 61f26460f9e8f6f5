import type { EventData } from './event-data.ts';
import type { RotationError } from './rotation-error.ts';

/** The steps of a rotation as Secrets Manager spells them. @see Secrets Manager user guide, "Rotation by Lambda function" */
export const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type Step = (typeof steps)[number];

export const eventTypes = [
  'oauth2.client-secret.rotation-started.v1',
  'oauth2.client-secret.pending.v1',
  'oauth2.client-secret.rotated.v1',
  'oauth2.client-secret.rotation-failed.v1',
  'oauth2.client-secret.preflight-failed.v1',
  'oauth2.client-secret.preflight-recovered.v1',
] as const;

export const severities = ['info', 'warning', 'critical'] as const;

export interface RotationEvent {
  type: (typeof eventTypes)[number];
  severity: (typeof severities)[number];
  data: EventData;
}

/** An error as events tell it. */
export function errorData({ category, what, retryable, action }: RotationError) {
  return { category, message: what, retryable, action };
}

/** The parts of `data` that say which secret it is about. */
export function eventSubject(secret: { arn: string; name: string }, clientId: string | undefined) {
  const region = secret.arn.split(':')[3] ?? '';
  return { secret_arn: secret.arn, secret_name: secret.name, region, ...(clientId && { client_id: clientId }) };
}
