import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Call, isAllowed, type Policies, policiesOf, type Statement } from './iam.ts';
import { type RecordedCall, type Recording, recordCalls } from './recorded-calls.ts';
import { idOf, rotationStack } from './synthesized.ts';

const secret = 'AWS::SecretsManager::Secret';
const key = 'AWS::KMS::Key';
const evidenceKey = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const otherAccount = '444455556666';
const otherRole = `arn:aws:iam::${otherAccount}:role/consumer`;

/** Another resource of the same kind. */
const stranger = (arn: string) =>
  arn.startsWith('arn:aws:s3:')
    ? arn.replace('/portal/', '/stranger/')
    : arn.replace(/([:/])[^:/]*(:\*)?$/, '$1stranger$2');

/** The template that users get, with all that is optional and asks for permissions. */
function world(recording: Recording) {
  const { stack, rotation } = rotationStack({
    function: (scope) => ({
      evidenceBucket: s3.Bucket.fromBucketAttributes(scope, 'Evidence', {
        bucketName: 'evidence',
        encryptionKey: kms.Key.fromKeyArn(scope, 'EvidenceKey', evidenceKey),
      }),
      portalProfileParameter: ssm.StringParameter.fromStringParameterAttributes(scope, 'Profile', {
        parameterName: '/rotate-client-secret/portal-profile',
        forceDynamicReference: true,
      }),
    }),
  });
  const consumer = new iam.Role(stack, 'Consumer', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  rotation.grantConsume(consumer).assertSuccess();
  rotation.grantConsume(new iam.ArnPrincipal(otherRole)).assertSuccess();
  rotation.grantSubscribe(new iam.AccountPrincipal(otherAccount)).assertSuccess();
  const template = Template.fromStack(stack);
  const secretId = (part: string) => idOf(template, secret, part);
  const policies = policiesOf(template, {
    [secretId('Rotated')]: recording.secrets.rotated,
    [secretId('Login')]: recording.secrets.login,
    [secretId('Bridge')]: recording.secrets.bridge,
    [idOf(template, 'AWS::SNS::Topic', 'FunctionTopic')]: recording.topicArn,
  });
  const arn = (type: string, part?: string) => policies.arnOf(idOf(template, type, part));
  // What the other account allows its role is its own affair: here, all.
  const all: Statement = { Effect: 'Allow', Action: ['*'], Resource: ['*'], Condition: {} };
  policies.identity.set(otherRole, [all]);
  // Keys that are not of this stack, whose policies leave everything to IAM, as the default one does.
  const toIam: Statement = { ...all, Action: ['kms:*'], Principal: { AWS: ['arn:aws:iam::000000000000:root'] } };
  const ofKeys = [arn(key, 'Secrets'), evidenceKey].map(stranger);
  for (const keyArn of [evidenceKey, ...ofKeys]) policies.resource.set(keyArn, [toIam]);
  return {
    policies,
    role: arn('AWS::IAM::Role', 'FunctionRole'),
    ownConsumer: arn('AWS::IAM::Role', 'Consumer'),
    secretsKey: arn(key, 'Secrets'),
    operationsKey: arn(key, 'Operations'),
    alarmTopic: arn('AWS::SNS::Topic', 'Alarm'),
    function: arn('AWS::Lambda::Function'),
    preflightRule: arn('AWS::Events::Rule', 'Preflight'),
    log: arn('AWS::Logs::LogGroup'),
    secrets: recording.secrets,
    topic: recording.topicArn,
  };
}
type World = ReturnType<typeof world>;

/** What Secrets Manager asks of KMS on behalf of whoever called it. @see its user guide, "Secret encryption and decryption" */
const throughSecretsManager = (secretArn: string) => ({
  'kms:viaservice': ['secretsmanager.us-east-1.amazonaws.com'],
  'kms:encryptioncontext:secretarn': [secretArn],
});

/** What a service asks for with the caller's permissions, beside the call itself. */
function implied({ action, resource }: RecordedCall, to: World): RecordedCall[] {
  const keyed = (keyArn: string, actions: string[], context = {}) =>
    actions.map((its) => ({ action: its, resource: keyArn, context }));
  switch (action) {
    case 'secretsmanager:GetSecretValue':
      return keyed(to.secretsKey, ['kms:Decrypt'], throughSecretsManager(resource));
    case 'secretsmanager:PutSecretValue':
      return keyed(to.secretsKey, ['kms:Decrypt', 'kms:GenerateDataKey'], throughSecretsManager(resource));
    case 'secretsmanager:RotateSecret':
      return [{ action: 'lambda:InvokeFunction', resource: to.function, context: {} }];
    case 'sns:Publish':
      return keyed(to.operationsKey, ['kms:Decrypt', 'kms:GenerateDataKey']);
    case 's3:PutObject':
      return keyed(evidenceKey, ['kms:GenerateDataKey']);
    default:
      return [];
  }
}

/** Lambda writes the log with the function's role. */
const runtimeCalls = (to: World): RecordedCall[] =>
  ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ action, resource: to.log, context: {} }));

/** What nobody asks for, so that nobody may: other resources, other actions, other labels, keys by themselves. */
function mustBeDenied(calls: RecordedCall[], to: World): RecordedCall[] {
  const made = new Set(calls.map(({ action, resource }) => `${action} ${resource}`));
  const strangers = calls.map((call) => ({ ...call, resource: stranger(call.resource) }));
  const others = Object.entries({
    secretsmanager: ['DeleteSecret', 'PutResourcePolicy', 'UpdateSecret', 'CancelRotateSecret'],
    sns: ['DeleteTopic', 'SetTopicAttributes', 'Subscribe'],
    kms: ['CreateGrant', 'Encrypt', 'ScheduleKeyDeletion'],
    lambda: ['UpdateFunctionCode'],
    logs: ['DeleteLogGroup'],
    s3: ['GetObject', 'DeleteObject'],
    ssm: ['PutParameter'],
  }).flatMap(([service, names]) =>
    calls
      .filter(({ action }) => action.startsWith(`${service}:`))
      .flatMap((call) => names.map((name) => ({ ...call, action: `${service}:${name}` }))),
  );
  const secretActions = new Set(
    calls.map(({ action }) => action).filter((action) => action.startsWith('secretsmanager:')),
  );
  const unasked = Object.values(to.secrets).flatMap((resource) =>
    [...secretActions]
      .filter((action) => !made.has(`${action} ${resource}`))
      .map((action) => ({ action, resource, context: { 'aws:tagkeys': ['preflight'] } })),
  );
  const stage = (label: string) => ({ 'secretsmanager:versionstage': [label] });
  return [
    ...strangers,
    ...others,
    ...unasked,
    { action: 'secretsmanager:GetSecretValue', resource: to.secrets.login, context: stage('AWSPREVIOUS') },
    { action: 'secretsmanager:TagResource', resource: to.secrets.rotated, context: { 'aws:tagkeys': ['team'] } },
    ...['kms:Decrypt', 'kms:GenerateDataKey'].flatMap((action) => [
      { action, resource: to.secretsKey, context: throughSecretsManager(`${to.secrets.login}-another`) },
      {
        action,
        resource: to.secretsKey,
        context: { ...throughSecretsManager(to.secrets.login), 'kms:viaservice': [] },
      },
    ]),
  ];
}

const byRole = (role: string, { action, resource, context }: RecordedCall): Call => ({
  principal: { role },
  action,
  resource,
  context: { 'aws:securetransport': ['true'], ...context },
});

const told = ({ action, resource, context }: RecordedCall) =>
  `${action} on ${resource} with ${JSON.stringify(context)}`;

let recording: Recording;
let to: World;
/** Each call once: the recorded ones, what they imply, and the runtime's. */
let calls: RecordedCall[];

beforeAll(async () => {
  recording = await recordCalls();
  to = world(recording);
  const made = recording.calls.flatMap((call) => [call, ...implied(call, to)]);
  calls = [...new Map([...made, ...runtimeCalls(to)].map((call) => [told(call), call])).values()];
}, 300_000);

/** What is wrong with the policies of the function's role. */
function problems(policies: Policies): string[] {
  const allowed = (call: RecordedCall) => isAllowed(byRole(to.role, call), policies);
  return [
    ...calls.filter((call) => !allowed(call)).map((call) => `denied: ${told(call)}`),
    ...mustBeDenied(calls, to)
      .filter(allowed)
      .map((call) => `allowed: ${told(call)}`),
  ];
}

/** The policies with one statement of the role's in place of another, an action and a resource at a time. */
function mutations(change: (statement: Statement) => Statement[]): { of: string; policies: Policies }[] {
  const statements = to.policies.identity.get(to.role) ?? [];
  const single = statements.flatMap((statement) =>
    statement.Action.flatMap((action) =>
      statement.Resource.map((resource) => ({ ...statement, Action: [action], Resource: [resource] })),
    ),
  );
  return single.flatMap((statement, index) => {
    const changed = change(statement);
    if (changed[0] === statement) return [];
    const identity = new Map(to.policies.identity).set(to.role, single.toSpliced(index, 1, ...changed));
    return [{ of: `${statement.Action} on ${statement.Resource}`, policies: { ...to.policies, identity } }];
  });
}

function unnoticed(change: (statement: Statement) => Statement[]): string[] {
  expect(problems(to.policies)).toEqual([]);
  return mutations(change)
    .filter(({ policies }) => problems(policies).length === 0)
    .map(({ of }) => of);
}

describe('the function', () => {
  it('may do what it did in rotations, preflights and failures, and nothing that it never does', () => {
    expect(new Set(calls.map(({ action }) => action)).size).toBeGreaterThan(12);
    expect(problems(to.policies)).toEqual([]);
  });

  it('needs each action on each resource: without one, a call would be denied', () => {
    expect(mutations(() => []).length).toBeGreaterThan(15);
    expect(unnoticed(() => [])).toEqual([]);
  });

  it('has no room: a wider resource, a wider action and a missing condition would be noticed', () => {
    expect(unnoticed((statement) => [{ ...statement, Resource: ['*'] }])).toEqual([]);
    const service = ({ Action: [action] }: Statement) => String(action).split(':')[0];
    expect(unnoticed((statement) => [{ ...statement, Action: [`${service(statement)}:*`] }])).toEqual([]);
    const free = (statement: Statement) =>
      Object.keys(statement.Condition).length === 0 ? [statement] : [{ ...statement, Condition: {} }];
    expect(mutations(free).length).toBeGreaterThan(3);
    expect(unnoticed(free)).toEqual([]);
  });

  it('publishes over TLS only', () => {
    const publish = byRole(to.role, { action: 'sns:Publish', resource: to.topic, context: {} });
    expect(isAllowed(publish, to.policies)).toBe(true);
    expect(isAllowed({ ...publish, context: { 'aws:securetransport': ['false'] } }, to.policies)).toBe(false);
  });

  it.each([
    ['Secrets Manager for this account', 'secretsmanager', { 'aws:sourceaccount': ['000000000000'] }, true],
    ['Secrets Manager for another account', 'secretsmanager', { 'aws:sourceaccount': [otherAccount] }, false],
    ['Secrets Manager for nobody', 'secretsmanager', {}, false],
    ['another rule', 'events', { 'aws:sourcearn': ['arn:aws:events:us-east-1:000000000000:rule/other'] }, false],
    ['another service', 's3', { 'aws:sourceaccount': ['000000000000'] }, false],
  ])('may be invoked, or not, by %s', (_who, service, context, expected) => {
    const principal = { service: `${service}.amazonaws.com` };
    const call = { principal, action: 'lambda:InvokeFunction', resource: to.function, context };
    expect(isAllowed(call, to.policies)).toBe(expected);
  });

  it('may be invoked by the daily rule', () => {
    const principal = { service: 'events.amazonaws.com' };
    const context = { 'aws:sourcearn': [to.preflightRule] };
    const call = { principal, action: 'lambda:InvokeFunction', resource: to.function, context };
    expect(isAllowed(call, to.policies)).toBe(true);
  });
});

describe('services', () => {
  /** Whether the service may publish to the topic and use its key. @param context what the service sends along */
  const publishes = (service: string, topic: string, context: Record<string, string[]> = {}) =>
    [
      { action: 'sns:Publish', resource: topic },
      { action: 'kms:Decrypt', resource: to.operationsKey },
      { action: 'kms:GenerateDataKey', resource: to.operationsKey },
    ].every((call) => isAllowed({ principal: { service: `${service}.amazonaws.com` }, ...call, context }, to.policies));

  it('EventBridge, which names no account, reaches the topic of alarms; nothing reaches that of events', () => {
    expect(publishes('events', to.alarmTopic)).toBe(true);
    expect(publishes('events', to.topic)).toBe(false);
    expect(publishes('cloudwatch', to.topic, { 'aws:sourceaccount': ['000000000000'] })).toBe(false);
  });

  it('CloudWatch raises the alarms of this account only', () => {
    expect(publishes('cloudwatch', to.alarmTopic, { 'aws:sourceaccount': ['000000000000'] })).toBe(true);
    expect(publishes('cloudwatch', to.alarmTopic, { 'aws:sourceaccount': [otherAccount] })).toBe(false);
  });

  it('CloudWatch Logs uses the key for log groups of this account only', () => {
    const encrypts = (arn: string) =>
      isAllowed(
        {
          principal: { service: 'logs.us-east-1.amazonaws.com' },
          action: 'kms:GenerateDataKey',
          resource: to.operationsKey,
          context: { 'kms:encryptioncontext:aws:logs:arn': [arn] },
        },
        to.policies,
      );
    expect(encrypts('arn:aws:logs:us-east-1:000000000000:log-group:any')).toBe(true);
    expect(encrypts(`arn:aws:logs:us-east-1:${otherAccount}:log-group:any`)).toBe(false);
  });
});

describe.each(['a consumer of this account', 'a consumer of another account'])('%s', (who) => {
  /** Whether it gets the value: the call itself, and the key. */
  const reads = (secretArn: string, context: Record<string, string[]>) => {
    const role = who.includes('another') ? otherRole : to.ownConsumer;
    const get = { action: 'secretsmanager:GetSecretValue', resource: secretArn, context };
    const decrypt = { action: 'kms:Decrypt', resource: to.secretsKey, context: throughSecretsManager(secretArn) };
    return [get, decrypt].every((call) => isAllowed(byRole(role, call), to.policies));
  };
  const stage = (label: string) => ({ 'secretsmanager:versionstage': [label] });

  it('reads the client secret under AWSCURRENT and AWSPENDING, and the bridge token under AWSCURRENT', () => {
    expect(reads(to.secrets.rotated, stage('AWSCURRENT'))).toBe(true);
    expect(reads(to.secrets.rotated, stage('AWSPENDING'))).toBe(true);
    expect(reads(to.secrets.bridge, stage('AWSCURRENT'))).toBe(true);
  });

  it('reads nothing else, and never the login', () => {
    expect(reads(to.secrets.rotated, stage('AWSPREVIOUS'))).toBe(false);
    expect(reads(to.secrets.rotated, { 'secretsmanager:versionid': ['any'] })).toBe(false);
    expect(reads(to.secrets.bridge, stage('AWSPREVIOUS'))).toBe(false);
    for (const label of ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS']) {
      expect(reads(to.secrets.login, stage(label))).toBe(false);
    }
  });

  it('writes nothing', () => {
    const role = who.includes('another') ? otherRole : to.ownConsumer;
    for (const action of ['PutSecretValue', 'UpdateSecretVersionStage', 'RotateSecret', 'DeleteSecret']) {
      for (const resource of Object.values(to.secrets)) {
        const call = byRole(role, { action: `secretsmanager:${action}`, resource, context: stage('AWSCURRENT') });
        expect(isAllowed(call, to.policies)).toBe(false);
      }
    }
  });
});

it('only the accounts that were named may subscribe, and publish nothing', () => {
  const may = (role: string, action: string) =>
    isAllowed(byRole(role, { action, resource: to.topic, context: {} }), to.policies);
  expect(may(otherRole, 'sns:Subscribe')).toBe(true);
  expect(may(otherRole, 'sns:Publish')).toBe(false);
  expect(may('arn:aws:iam::777788889999:role/stranger', 'sns:Subscribe')).toBe(false);
});

// Here, as this is where a run of everything was recorded.
it('the function tells CloudWatch how each step and preflight went, under the ARN that the alarms go by', () => {
  const begun = { StepsStarted: 1, StepsSucceeded: 0, StepsFailed: 0, RotationsSucceeded: 0, FatalFailures: 0 };
  const step = [begun, { StepsSucceeded: 1 }];
  const preflight = (PreflightOk: number, Drift?: number) => [
    { PreflightOk, ...(Drift !== undefined && { Drift }), DaysSinceRotation: expect.any(Number) },
  ];
  const values = recording.metrics.map(({ _aws, secret: _secret, ...metrics }) => metrics);
  expect(values).toEqual([
    ...step,
    ...step,
    ...step,
    begun,
    { StepsSucceeded: 1, RotationsSucceeded: 1 },
    ...preflight(1, 0),
    ...preflight(0), // no login yet, and nothing seen
    ...preflight(0, 1), // drift
    ...preflight(1), // stuck, and mended; the portal is ahead in a rotation
    ...preflight(0), // the login is refused
    begun,
    { StepsFailed: 1, FatalFailures: 1 },
  ]);
  for (const { _aws, secret: about, ...metrics } of recording.metrics) {
    expect(about).toBe(recording.secrets.rotated);
    expect(_aws).toEqual({
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: 'RotateClientSecret',
          Dimensions: [['secret']],
          Metrics: Object.keys(metrics).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    });
  }
});
