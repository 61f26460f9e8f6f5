import { describe, expect, test } from 'vitest';
import { readConfig } from '../../infra/config.ts';

const defaults = {
  clientSecrets: { Rotation: { consumers: [] } },
  sharedFunction: true,
  rotationIntervalDays: 30,
  preflightRepairs: true,
  subscriberAccounts: [],
  tracing: false,
};

const secretArn = (name: string, region = 'eu-central-1', account = '111122223333') =>
  `arn:aws:secretsmanager:${region}:${account}:secret:tradeaware/${name}-AbCdEf`;
const keyArn = (region = 'eu-central-1') =>
  `arn:aws:kms:${region}:111122223333:key/11111111-2222-3333-4444-555555555555`;
const topicArn = 'arn:aws:sns:eu-central-1:111122223333:events';

test('an empty context gives the defaults: one client secret, and everything new', () => {
  expect(readConfig({})).toEqual(defaults);
});

test('what --context says as text means the same as in cdk.json', () => {
  const inJson = {
    clientSecrets: {
      Live: { loginSecretArn: secretArn('login'), consumers: ['arn:aws:iam::444455556666:role/a'] },
      Test: {},
    },
    sharedFunction: false,
    rotationIntervalDays: 7,
    preflightRepairs: false,
    portalProfileParameter: '/tradeaware/portal-profile',
    evidenceBucketName: 'evidence-of-failures',
    subscriberAccounts: ['444455556666'],
  };
  const onTheCommandLine = {
    ...inJson,
    clientSecrets: JSON.stringify(inJson.clientSecrets),
    sharedFunction: 'false',
    rotationIntervalDays: '7',
    preflightRepairs: 'false',
    subscriberAccounts: '["444455556666"]',
  };
  expect(readConfig(onTheCommandLine)).toEqual(readConfig(inJson));
  expect(readConfig(inJson)).toEqual({
    ...defaults,
    ...inJson,
    clientSecrets: { ...inJson.clientSecrets, Test: { consumers: [] } },
  });
});

test('GovCloud is taken like all other regions', () => {
  const topic = 'arn:aws-us-gov:sns:us-gov-west-1:111122223333:events';
  expect(() => readConfig({ account: '111122223333', region: 'us-gov-west-1', topicArn: topic })).not.toThrow();
});

test('the keys of the CDK itself are left alone', () => {
  expect(readConfig({ '@aws-cdk/core:checkSecretUsage': true, 'cli-telemetry': false, 'vpc-provider:x': 1 })).toEqual(
    readConfig({}),
  );
});

test.each([
  ['rotationIntervalDays', 0, 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', '1001', 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', 1.5, 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', true, 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', [5], 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', 'monthly', 'a whole number of days from 1 to 1000'],
  ['preflightRepairs', 'off', 'true or false'],
  ['sharedFunction', 1, 'true or false'],
  ['tracing', 'yes', 'true or false'],
  ['portalProfileParameter', 'arn:aws:ssm:eu-central-1:111122223333:parameter/x', 'the name, not the ARN'],
  ['portalProfileParameter', '/aws/profile', 'the name, not the ARN'],
  ['portalProfileParameter', '', 'the name, not the ARN'],
  ['evidenceBucketName', 's3://evidence', 'the name, not the ARN, of an S3 bucket'],
  ['evidenceBucketName', '192.168.0.1', 'the name, not the ARN, of an S3 bucket'],
  ['evidenceBucketName', 'evidence..bucket', 'the name, not the ARN, of an S3 bucket'],
  ['account', '1234', 'an account id of 12 digits, as text'],
  ['account', 111122223333, 'an account id of 12 digits, as text'],
  ['region', 'Frankfurt', 'a region, such as eu-central-1'],
  ['region', 'cn-north-1', 'of the partition aws or aws-us-gov: elsewhere services have other names'],
  ['region', 'us-iso-east-1', 'of the partition aws or aws-us-gov'],
  ['topicArn', 'arn:aws-cn:sns:cn-north-1:111122223333:events', 'of the partition aws or aws-us-gov'],
  [
    'clientSecrets',
    { Live: { consumers: ['arn:aws-cn:iam::111122223333:role/a'] } },
    'of the partition aws or aws-us-gov',
  ],
  ['vpc', 'default', 'new, or the id of a VPC that exists'],
  ['secretsKeyArn', 'alias/secrets', 'the ARN of a KMS key: an alias is not enough'],
  ['secretsKeyArn', keyArn().slice(0, -1), 'the ARN of a KMS key'],
  ['operationsKeyArn', topicArn, 'the ARN of a KMS key'],
  ['topicKeyArn', 'alias/aws/sns', 'the ARN of a KMS key'],
  ['topicArn', 'events', 'the ARN of a standard SNS topic'],
  ['topicArn', `${topicArn}.fifo`, 'the ARN of a standard SNS topic'],
  ['alarmTopicArn', 'alarms', 'the ARN of a standard SNS topic'],
  ['subscriberAccounts', 'everybody', 'a list of account ids'],
  ['subscriberAccounts', ['0000'], 'subscriberAccounts.0 is "0000", but must be an account id of 12 digits'],
  ['clientSecrets', [], 'an object with a name of letters and digits for each client secret'],
  ['clientSecrets', {}, 'an object with at least one client secret'],
  [
    'clientSecrets',
    { 'trade aware': {} },
    'clientSecrets.trade aware is {}, but must be named with letters and digits',
  ],
  ['clientSecrets', { Live: 'yes' }, 'clientSecrets.Live is "yes", but must be an object'],
  [
    'clientSecrets',
    { Live: { loginSecretArn: 'login' } },
    'clientSecrets.Live.loginSecretArn is "login", but must be the ARN of a secret',
  ],
  [
    'clientSecrets',
    { Live: { loginSecretArn: secretArn('login').slice(0, -7) } },
    'with the six characters at its end',
  ],
  [
    'clientSecrets',
    { Live: { consumers: ['*'] } },
    'clientSecrets.Live.consumers.0 is "*", but must be the ARN of an IAM role or user',
  ],
  [
    'clientSecrets',
    { Live: { secret: 'x' } },
    'clientSecrets.Live.secret is no key of ours: remove it, or take one of rotatedSecretArn',
  ],
  ['rotationIntervalInDays', 30, 'remove it, or take one of clientSecrets, sharedFunction, rotationIntervalDays'],
  ['topicName', 'events', 'topicName is no key of ours: remove it'],
  ['rotation-interval-days', 7, 'is no key of ours: remove it'],
  ['clientSecrets.Live', {}, 'is no key of ours: remove it'],
  ['topicArn2', topicArn, 'is no key of ours: remove it'],
])('%s: %j is refused with the key, the value and the remedy', (key, value, remedy) => {
  const refusal = () => readConfig({ [key]: value });
  expect(refusal).toThrow(key);
  expect(refusal).toThrow(remedy);
});

describe('values that do not go together', () => {
  const here = { account: '111122223333', region: 'eu-central-1' };
  test.each<[string, Record<string, unknown>, string]>([
    [
      'an account without its region',
      { account: '111122223333' },
      'account and region go together: give both, or neither',
    ],
    [
      'a VPC to look up, nobody knows where',
      { vpc: 'vpc-0a1b2c3d' },
      'which is looked up at synth: give account and region too',
    ],
    ['a key without its topic', { topicKeyArn: keyArn() }, 'the topic in topicArn, which is not given'],
    [
      'a secret in another region',
      { ...here, clientSecrets: { Live: { rotatedSecretArn: secretArn('client', 'us-east-1') } } },
      'clientSecrets.Live.rotatedSecretArn is in region us-east-1, but must be in eu-central-1',
    ],
    [
      'secrets in two regions',
      { clientSecrets: { Live: { rotatedSecretArn: secretArn('a'), loginSecretArn: secretArn('b', 'us-east-1') } } },
      'clientSecrets.Live.loginSecretArn is in region us-east-1, but must be in eu-central-1',
    ],
    [
      'a key in another region',
      { ...here, secretsKeyArn: keyArn('us-east-1') },
      'secretsKeyArn is in region us-east-1',
    ],
    [
      'a key of one client secret in another region',
      { ...here, clientSecrets: { Live: { secretsKeyArn: keyArn('us-east-1') } } },
      'clientSecrets.Live.secretsKeyArn is in region us-east-1',
    ],
    [
      'a secret of another account',
      { ...here, clientSecrets: { Live: { loginSecretArn: secretArn('login', 'eu-central-1', '444455556666') } } },
      'clientSecrets.Live.loginSecretArn is in account 444455556666, but must be in 111122223333',
    ],
    [
      'secrets of two accounts',
      {
        clientSecrets: {
          Live: { rotatedSecretArn: secretArn('a'), loginSecretArn: secretArn('b', 'eu-central-1', '444455556666') },
        },
      },
      'clientSecrets.Live.loginSecretArn is in account 444455556666, but must be in 111122223333',
    ],
    [
      'alarms for another account',
      { ...here, alarmTopicArn: 'arn:aws:sns:eu-central-1:444455556666:alarms' },
      'alarmTopicArn is in account 444455556666, but must be in 111122223333: the alarms call in their own',
    ],
    [
      'a login where the client secret is',
      { clientSecrets: { A: { rotatedSecretArn: secretArn('a'), loginSecretArn: secretArn('a') } } },
      'clientSecrets.A.loginSecretArn is clientSecrets.A.rotatedSecretArn too',
    ],
    [
      'a login where another bridge token is',
      { clientSecrets: { A: { loginSecretArn: secretArn('a') }, B: { bridgeSecretArn: secretArn('a') } } },
      'clientSecrets.B.bridgeSecretArn is clientSecrets.A.loginSecretArn too',
    ],
    [
      'a bridge secret for two',
      { clientSecrets: { A: { bridgeSecretArn: secretArn('bridge') }, B: { bridgeSecretArn: secretArn('bridge') } } },
      'clientSecrets.B.bridgeSecretArn is clientSecrets.A.bridgeSecretArn too: each client secret needs its own',
    ],
  ])('%s', (_what, context, message) => {
    expect(() => readConfig(context)).toThrow(message);
  });

  test('one login may serve two client secrets', () => {
    const loginSecretArn = secretArn('login');
    expect(() => readConfig({ clientSecrets: { A: { loginSecretArn }, B: { loginSecretArn } } })).not.toThrow();
  });
});

test('all that is wrong is said at once', () => {
  expect(() => readConfig({ rotationIntervalDays: 0, preflightRepairs: 'maybe' })).toThrow(
    /rotationIntervalDays is 0, .*\n.*preflightRepairs is "maybe", /,
  );
});
