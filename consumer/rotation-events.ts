// Made from lambda/events/cloudevent.ts by test/docs/events.test.ts, which also says how to make it anew.

/** `data` by type: what each type carries, and what of it is always there. Keys that are not here may come: leave them alone. */
export interface RotationEventData {
  'oauth2.client-secret.rotation-started.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'createSecret';
    previous_version_id: string;
    existing_tokens_valid?: boolean;
  };
  'oauth2.client-secret.pending.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'createSecret';
    previous_version_id: string;
    pressed?: 'yes' | 'no' | 'unknown';
    adopted?: boolean;
    changeover_ms?: number;
    existing_tokens_valid: boolean;
    previous_invalid_after?: string;
  };
  'oauth2.client-secret.rotated.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'finishSecret';
    previous_version_id?: string;
    existing_tokens_valid: boolean;
    previous_invalid_after?: string;
  };
  'oauth2.client-secret.rotation-failed.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret';
    previous_version_id?: string;
    pressed: 'yes' | 'no' | 'unknown';
    error: {
      category: string;
      message: string;
      retryable: boolean;
      action: string;
    };
  };
  'oauth2.client-secret.preflight-failed.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'preflight';
    error: {
      category: string;
      message: string;
      retryable: boolean;
      action: string;
    };
  };
  'oauth2.client-secret.preflight-recovered.v1': {
    secret_arn: string;
    secret_name: string;
    region: string;
    client_id?: string;
    version_id: string;
    attempt: number;
    step: 'preflight';
  };
}

/** A CloudEvent of a rotation, of one type or of any. @see CloudEvents 1.0, "Context Attributes" */
export type RotationEvent<Type extends keyof RotationEventData = keyof RotationEventData> = {
  [Each in Type]: {
    specversion: '1.0';
    id: string;
    source: string;
    subject?: string;
    time: string;
    datacontenttype: 'application/json';
    type: Each;
    dataschema: `urn:schema:${Each}`;
    data: RotationEventData[Each];
  };
}[Type];
