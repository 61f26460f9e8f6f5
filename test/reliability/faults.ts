import type { Fault } from '../../local/secrets-manager.ts';

/** Where a call of the function goes. */
export type Service = 'secrets-manager' | 'ssm' | 'sns' | 'token-endpoint' | 'portal';

/** One call that left the function's process, as the service saw it. */
export interface Call {
  service: Service;
  /** `createSecret: PutSecretValue bridge`: the step, the operation, and what it was about. */
  what: string;
  /** Among the same calls of the same invocation, from 1. */
  occurrence: number;
  /** Of the recording, on the monotonic clock. */
  atMs: number;
}

/** What happens to a call in place of what should. */
export interface FaultAtCall {
  name: string;
  /** Before the call's effect, or after it. */
  when: 'before' | 'after';
  /** The function's process and its browser are killed, the service stays silent, or it answers with this. */
  act: 'die' | 'hang' | Fault;
  /** How many of the same calls in a row it happens to: the SDK tries a call three times. */
  times: number;
}

/** How often the SDK, and a browser, sends what breaks off or is throttled. */
const persistent = 3;

const died: FaultAtCall[] = [
  { name: 'dies before it', when: 'before', act: 'die', times: 1 },
  { name: 'dies after it', when: 'after', act: 'die', times: 1 },
];

const lost: FaultAtCall[] = [
  { name: 'the connection breaks off, without effect', when: 'before', act: 'drop', times: persistent },
  { name: 'the answer is lost, the effect is not', when: 'after', act: 'drop', times: persistent },
];

const answered = (status: number, type: string, times = 1): FaultAtCall => ({
  name: `${status} ${type}`,
  when: 'before',
  act: { status, type, message: `${type}: injected` },
  times,
});

/** What Secrets Manager documents for every operation: "Common Errors", and for those with a value, the key's. */
const ofSecretsManager = [
  answered(400, 'ThrottlingException', persistent),
  answered(500, 'InternalServiceError', persistent),
  answered(503, 'ServiceUnavailable', persistent),
  answered(400, 'AccessDeniedException'),
  answered(403, 'ExpiredTokenException'),
];

/** By operation. @see Secrets Manager API reference, "Errors" of each */
const ofOperation: Record<string, FaultAtCall[]> = {
  GetSecretValue: [answered(400, 'DecryptionFailure'), answered(400, 'ResourceNotFoundException')],
  DescribeSecret: [answered(400, 'ResourceNotFoundException')],
  PutSecretValue: [
    answered(400, 'EncryptionFailure'),
    answered(400, 'LimitExceededException'),
    answered(400, 'ResourceExistsException'),
    answered(400, 'InvalidRequestException'),
  ],
  UpdateSecretVersionStage: [answered(400, 'LimitExceededException'), answered(400, 'InvalidParameterException')],
  TagResource: [answered(400, 'InvalidRequestException')],
};

const ofService: Record<Service, FaultAtCall[]> = {
  'secrets-manager': ofSecretsManager,
  ssm: [
    answered(400, 'ThrottlingException', persistent),
    answered(500, 'InternalServerError', persistent),
    answered(400, 'AccessDeniedException'),
    answered(400, 'ParameterNotFound'),
  ],
  sns: [
    answered(400, 'ThrottledException', persistent),
    answered(500, 'InternalError', persistent),
    answered(403, 'AuthorizationError'),
    answered(400, 'KMSDisabled'),
    answered(404, 'NotFound'),
  ],
  'token-endpoint': [
    answered(500, 'Internal Server Error'),
    answered(429, 'Too Many Requests'),
    answered(401, '{"error":"invalid_client"}'),
    answered(400, '{"error":"invalid_request"}'),
  ],
  portal: [answered(500, 'Internal Server Error', persistent), answered(503, 'Service Unavailable', persistent)],
};

/** All but deaths, for as long as the rotation goes on. */
export function outagesOf(call: Pick<Call, 'service' | 'what'>): FaultAtCall[] {
  const silent: FaultAtCall = { name: 'no answer', when: 'before', act: 'hang', times: 1 };
  return [silent, ...faultsOf(call).filter(({ act, when }) => act !== 'die' && when === 'before')].map((fault) => ({
    ...fault,
    times: Number.POSITIVE_INFINITY,
  }));
}

/** Every fault that can happen to this call. */
export function faultsOf({ service, what }: Pick<Call, 'service' | 'what'>): FaultAtCall[] {
  const operation = Object.keys(ofOperation).find((name) => what.includes(`: ${name}`));
  return [...died, ...lost, ...ofService[service], ...(operation ? (ofOperation[operation] ?? []) : [])];
}
