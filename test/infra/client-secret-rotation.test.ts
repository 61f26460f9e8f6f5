import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, test } from 'vitest';
import { ClientSecretRotation, type ClientSecretRotationProps } from '../../infra/client-secret-rotation.ts';

const work = mkdtempSync(join(tmpdir(), 'rotation-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The asset with Chromium is function-asset.test.ts's; here any code will do. */
function rotationStack(props: (stack: Stack) => ClientSecretRotationProps = () => ({})): Stack {
  const app = new App({ context: featureFlags, outdir: mkdtempSync(join(work, 'cdk.out-')) });
  const stack = new Stack(app, 'Stack');
  new ClientSecretRotation(stack, 'Rotation', { code: lambda.Code.fromInline('-'), ...props(stack) });
  return stack;
}

const templateOf = (props?: (stack: Stack) => ClientSecretRotationProps) => Template.fromStack(rotationStack(props));

/** The logical id of the resource of this type, or of the one whose id has this part. */
function idOf(template: Template, type: string, part = ''): string {
  const ids = Object.keys(template.findResources(type)).filter((id) => id.includes(part));
  if (ids.length !== 1) throw new Error(`${ids.length} resources of type ${type} with ${part}`);
  return String(ids[0]);
}

interface Statement {
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

/** Every statement of the policies that the function's role has. */
function statementsOf(template: Template): Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(
    (policy): Statement[] => policy.Properties.PolicyDocument.Statement,
  );
}

/** What the role may do to the resource, by the reference to it. */
function allowedOn(template: Template, resource: unknown): string[] {
  return statementsOf(template)
    .filter((statement) => JSON.stringify(statement.Resource) === JSON.stringify(resource))
    .flatMap((statement) => statement.Action)
    .sort();
}

const secret = 'AWS::SecretsManager::Secret';
const secretRef = (template: Template, part: string) => ({ Ref: idOf(template, secret, part) });

describe('secrets', () => {
  test('three are created, none with a value, and none is deleted with the stack', () => {
    // GIVEN, WHEN
    const secrets = Object.values(templateOf().findResources(secret));
    // THEN
    expect(secrets).toHaveLength(3);
    for (const { Properties, DeletionPolicy, UpdateReplacePolicy } of secrets) {
      expect(Object.keys(Properties).sort()).toEqual(['Description', 'KmsKeyId']);
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Retain', 'Retain']);
    }
  });

  test('their logical ids stay: another id would be another, empty secret', () => {
    expect(Object.keys(templateOf().findResources(secret))).toEqual([
      'RotationRotatedSecret1AEAB3FA',
      'RotationLoginSecret68CA19CC',
      'RotationBridgeSecret716CB3D1',
    ]);
  });

  test('one key of their own encrypts them, rotates, and outlives the stack', () => {
    const template = templateOf();
    const key = idOf(template, 'AWS::KMS::Key', 'Secrets');
    template.allResourcesProperties(secret, { KmsKeyId: { 'Fn::GetAtt': [key, 'Arn'] } });
    template.hasResource('AWS::KMS::Key', {
      Properties: { EnableKeyRotation: true, Description: Match.stringLikeRegexp('portal login') },
      DeletionPolicy: 'Retain',
    });
  });

  test('an existing key is used in place of a new one', () => {
    // GIVEN
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    // WHEN
    const template = templateOf((stack) => ({ encryptionKey: kms.Key.fromKeyArn(stack, 'Existing', arn) }));
    // THEN
    template.allResourcesProperties(secret, { KmsKeyId: arn });
    template.resourceCountIs('AWS::KMS::Key', 1); // the topic's
    expect(allowedOn(template, arn)).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
  });
});

describe('schedule', () => {
  test('a deployment does not rotate', () => {
    templateOf().allResourcesProperties('AWS::SecretsManager::RotationSchedule', {
      RotateImmediatelyOnUpdate: false,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
  });

  test('the interval is configurable', () => {
    templateOf(() => ({ rotationIntervalDays: 7 })).hasResourceProperties('AWS::SecretsManager::RotationSchedule', {
      RotationRules: { AutomaticallyAfterDays: 7 },
    });
  });

  test('preflight looks at the rotated secret every day, and Lambda does not retry it', () => {
    const template = templateOf();
    template.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 day)',
      Targets: [
        Match.objectLike({
          Input: { 'Fn::Join': ['', ['{"Step":"preflight","SecretId":"', secretRef(template, 'Rotated'), '"}']] },
        }),
      ],
    });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
  });
});

describe('who may invoke the function', () => {
  test('Secrets Manager, for this account only, and the daily rule', () => {
    const template = templateOf();
    const permissions = Object.values(template.findResources('AWS::Lambda::Permission')).map(({ Properties }) => ({
      principal: Properties.Principal,
      account: Properties.SourceAccount,
      source: Properties.SourceArn,
    }));
    expect(permissions).toEqual([
      { principal: 'secretsmanager.amazonaws.com', account: { Ref: 'AWS::AccountId' }, source: undefined },
      {
        principal: 'events.amazonaws.com',
        account: undefined,
        source: { 'Fn::GetAtt': [idOf(template, 'AWS::Events::Rule'), 'Arn'] },
      },
    ]);
  });

  test('the schedule is set only when Secrets Manager may invoke', () => {
    const template = templateOf();
    template.hasResource('AWS::SecretsManager::RotationSchedule', {
      DependsOn: Match.arrayWith([idOf(template, 'AWS::Lambda::Permission', 'SecretsManager')]),
    });
  });
});

describe('topic', () => {
  test('TLS only, signature version 2, encrypted with a key that rotates', () => {
    const template = templateOf();
    const key = idOf(template, 'AWS::KMS::Key', 'Topic');
    template.hasResourceProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] },
      SignatureVersion: '2',
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Principal: '*',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
    template.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('the function may publish to it, through its key', () => {
    const template = templateOf();
    expect(allowedOn(template, { Ref: idOf(template, 'AWS::SNS::Topic') })).toEqual([
      'sns:GetTopicAttributes',
      'sns:Publish',
    ]);
    expect(allowedOn(template, { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Topic'), 'Arn'] })).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey*',
    ]);
  });
});

describe('least privilege', () => {
  test('each secret allows what the rotation needs of it, and nothing else', () => {
    const template = templateOf(() => ({ preflightRepairs: false }));
    expect(allowedOn(template, secretRef(template, 'Rotated'))).toEqual([
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:ListSecretVersionIds',
      'secretsmanager:PutSecretValue',
      'secretsmanager:TagResource',
      'secretsmanager:UpdateSecretVersionStage',
    ]);
    expect(allowedOn(template, secretRef(template, 'Login'))).toEqual([
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
    ]);
    expect(allowedOn(template, secretRef(template, 'Bridge'))).toEqual([
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
    ]);
  });

  test('only repairs may start a rotation', () => {
    const rotate = ['secretsmanager:RotateSecret', 'lambda:InvokeFunction'];
    const actionsOf = (template: Template) => statementsOf(template).flatMap((statement) => statement.Action);
    const withRepairs = templateOf();
    expect(actionsOf(withRepairs)).toEqual(expect.arrayContaining(rotate));
    expect(allowedOn(withRepairs, { 'Fn::GetAtt': [idOf(withRepairs, 'AWS::Lambda::Function'), 'Arn'] })).toEqual([
      'lambda:InvokeFunction',
    ]);
    const without = actionsOf(templateOf(() => ({ preflightRepairs: false })));
    for (const action of rotate) expect(without).not.toContain(action);
  });

  test('the key of the secrets is used through Secrets Manager only', () => {
    const template = templateOf();
    const key = { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Secrets'), 'Arn'] };
    const statements = statementsOf(template).filter(
      ({ Resource }) => JSON.stringify(Resource) === JSON.stringify(key),
    );
    expect(statements).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: key,
        Condition: {
          StringEquals: {
            'kms:ViaService': { 'Fn::Join': ['', ['secretsmanager.', { Ref: 'AWS::Region' }, '.amazonaws.com']] },
          },
        },
      },
    ]);
  });

  test('no statement has a wildcard resource, and the role no managed policy', () => {
    const template = templateOf();
    for (const { Resource } of statementsOf(template)) expect(JSON.stringify(Resource)).not.toContain('*');
    template.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  test('a portal profile in a parameter may be read, and is asked for only where there is one', () => {
    // GIVEN
    const name = '/tradeaware/portal-profile';
    // WHEN
    const template = templateOf((stack) => ({
      portalProfileParameter: ssm.StringParameter.fromStringParameterAttributes(stack, 'Profile', {
        parameterName: name,
        forceDynamicReference: true,
      }),
    }));
    // THEN
    const statements = statementsOf(template).filter(({ Action }) => Action === 'ssm:GetParameter');
    expect(statements).toHaveLength(1);
    expect(JSON.stringify(statements[0]?.Resource)).toContain(`:parameter${name}"`);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { PORTAL_PROFILE_PARAMETER: name } },
    });
    expect(JSON.stringify(templateOf())).not.toContain('ssm:GetParameter');
    template.hasParameter('BootstrapVersion', Match.anyValue());
    expect(Object.keys(template.findParameters('*'))).toEqual(['BootstrapVersion']); // the profile's value is not read here
  });

  test('evidence may be written below one prefix of its bucket, with its key, and not read', () => {
    // GIVEN
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    // WHEN
    const template = templateOf((stack) => ({
      evidenceBucket: s3.Bucket.fromBucketAttributes(stack, 'Evidence', {
        bucketName: 'evidence',
        encryptionKey: kms.Key.fromKeyArn(stack, 'EvidenceKey', keyArn),
      }),
    }));
    // THEN
    const objects = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::evidence/portal/*']] };
    expect(allowedOn(template, objects)).toEqual(['s3:PutObject']);
    expect(allowedOn(template, keyArn)).toEqual(['kms:GenerateDataKey']);
    expect(JSON.stringify(statementsOf(template)).match(/"s3:\w+"/g)).toEqual(['"s3:PutObject"']);
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { EVIDENCE_BUCKET: 'evidence' } },
    });
  });
});

describe('function', () => {
  test('has the runtime, the room and the time that a rotation needs, and no reserved concurrency', () => {
    templateOf().hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      MemorySize: 2048,
      EphemeralStorage: { Size: 1024 },
      Timeout: 900,
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  test('has the environment of the contract', () => {
    const environment = (props?: ClientSecretRotationProps) => {
      const template = templateOf(() => props ?? {});
      const [fn] = Object.values(template.findResources('AWS::Lambda::Function'));
      return { topic: { Ref: idOf(template, 'AWS::SNS::Topic') }, variables: fn?.Properties.Environment.Variables };
    };
    const { topic, variables } = environment();
    expect(variables).toEqual({ ROTATION_TOPIC_ARN: topic });
    expect(environment({ preflightRepairs: false }).variables).toEqual({
      ROTATION_TOPIC_ARN: topic,
      PREFLIGHT_REPAIRS: 'off',
    });
  });

  test('logs into a group of its own, kept for a year', () => {
    const template = templateOf();
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
    template.hasResourceProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogGroup: { Ref: idOf(template, 'AWS::Logs::LogGroup') } },
    });
  });
});

test('cdk-nag AwsSolutions finds nothing but what is acknowledged with a reason', () => {
  // GIVEN
  const stack = rotationStack((scope) => ({ evidenceBucket: s3.Bucket.fromBucketName(scope, 'Evidence', 'evidence') }));
  Validations.of(stack).acknowledge({
    // Here, as its id has the name of the bucket in it.
    id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::evidence/portal/*]',
    reason: 'The name of each piece of evidence is new; the function may write below one prefix of one bucket.',
  });
  // WHEN
  const report = new AwsSolutionsChecks().validateScope(stack);
  // THEN
  expect(report.violations.map(({ ruleName, violatingResources }) => ({ ruleName, violatingResources }))).toEqual([]);
});
