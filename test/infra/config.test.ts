import { expect, test } from 'vitest';
import { readConfig } from '../../infra/config.ts';

test('an empty context gives the defaults', () => {
  expect(readConfig({})).toEqual({ rotationIntervalDays: 30, preflightRepairs: true });
});

test('what --context says as text means the same as in cdk.json', () => {
  const inJson = {
    rotationIntervalDays: 7,
    preflightRepairs: false,
    portalProfileParameter: '/tradeaware/portal-profile',
    evidenceBucketName: 'evidence-of-failures',
  };
  const onTheCommandLine = { ...inJson, rotationIntervalDays: '7', preflightRepairs: 'false' };
  expect(readConfig(onTheCommandLine)).toEqual(readConfig(inJson));
  expect(readConfig(inJson)).toEqual(inJson);
});

test('the keys of the CDK itself are left alone', () => {
  expect(readConfig({ '@aws-cdk/core:checkSecretUsage': true, 'cli-telemetry': false, 'aws:cdk:x': 1 })).toEqual(
    readConfig({}),
  );
});

test.each([
  ['rotationIntervalDays', 0, 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', '1001', 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', 1.5, 'a whole number of days from 1 to 1000'],
  ['rotationIntervalDays', 'monthly', 'a whole number of days from 1 to 1000'],
  ['preflightRepairs', 'off', 'true or false'],
  ['portalProfileParameter', 'arn:aws:ssm:eu-central-1:111122223333:parameter/x', 'the name, not the ARN'],
  ['portalProfileParameter', '/aws/profile', 'the name, not the ARN'],
  ['portalProfileParameter', '', 'the name, not the ARN'],
  ['evidenceBucketName', 's3://evidence', 'the name, not the ARN, of an S3 bucket'],
  ['rotationIntervalInDays', 30, 'remove it, or take one of rotationIntervalDays, portalProfileParameter'],
])('%s: %j is refused with the key, the value and the remedy', (key, value, remedy) => {
  const refusal = () => readConfig({ [key]: value });
  expect(refusal).toThrow(key);
  expect(refusal).toThrow(remedy);
});

test('all that is wrong is said at once', () => {
  expect(() => readConfig({ rotationIntervalDays: 0, preflightRepairs: 'maybe' })).toThrow(
    /rotationIntervalDays is 0, .*\n.*preflightRepairs is "maybe", /,
  );
});
