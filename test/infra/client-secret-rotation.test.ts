import { CfnParameter, Duration, RemovalPolicy, type Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import type { RotationFunctionProps } from '../../infra/rotation-function.ts';
import { idOf, rotationStack, templateOf } from './synthesized.ts';

interface Statement {
  Effect: string;
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

  test.each([
    ['the stack is deleted', undefined, 'Retain'],
    ['they are deleted too', RemovalPolicy.DESTROY, 'Delete'],
  ])('what lets a consumer in stays or goes with them where %s', (_when, removalPolicy, deletion) => {
    const { stack, rotation } = rotationStack({ rotation: () => ({ removalPolicy }) });
    rotation.grantConsume(new iam.ArnPrincipal('arn:aws:iam::444455556666:role/consumer'));
    const template = Template.fromStack(stack);
    for (const type of [secret, 'AWS::SecretsManager::ResourcePolicy']) {
      template.allResources(type, { DeletionPolicy: deletion, UpdateReplacePolicy: deletion });
    }
  });

  test('an existing key is used in place of a new one', () => {
    // GIVEN
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    // WHEN
    const template = templateOf({ rotation: (stack) => ({ secretsKey: kms.Key.fromKeyArn(stack, 'Existing', arn) }) });
    // THEN
    template.allResourcesProperties(secret, { KmsKeyId: arn });
    template.resourceCountIs('AWS::KMS::Key', 1); // that of the topics and logs
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
    templateOf({ rotation: () => ({ rotationIntervalDays: 7 }) }).hasResourceProperties(
      'AWS::SecretsManager::RotationSchedule',
      {
        RotationRules: { AutomaticallyAfterDays: 7 },
      },
    );
  });

  test.each([0, 1001, 1.5])('an interval of %j days is refused with the limits', (rotationIntervalDays) => {
    expect(() => rotationStack({ rotation: () => ({ rotationIntervalDays }) })).toThrow(
      `rotationIntervalDays: a whole number from 1 to 1000, not ${rotationIntervalDays}`,
    );
  });

  test('an interval that is not known at synth is refused, with the reason', () => {
    const parameter = (stack: Stack) => new CfnParameter(stack, 'Days', { type: 'Number' }).valueAsNumber;
    expect(() => rotationStack({ rotation: (stack) => ({ rotationIntervalDays: parameter(stack) }) })).toThrow(
      'rotationIntervalDays: a number that is known at synth',
    );
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
    template.hasResourceProperties('AWS::Events::Rule', {
      Targets: [Match.objectLike({ RetryPolicy: { MaximumRetryAttempts: 0 } })],
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
        source: { 'Fn::GetAtt': [idOf(template, 'AWS::Events::Rule', 'Preflight'), 'Arn'] },
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
    const key = idOf(template, 'AWS::KMS::Key', 'Operations');
    template.allResourcesProperties('AWS::SNS::Topic', {
      KmsMasterKeyId: { 'Fn::GetAtt': [key, 'Arn'] },
      SignatureVersion: '2',
    });
    template.resourceCountIs('AWS::SNS::Topic', 2);
    template.allResourcesProperties('AWS::SNS::TopicPolicy', {
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
    expect(allowedOn(template, { Ref: idOf(template, 'AWS::SNS::Topic', 'FunctionTopic') })).toEqual([
      'sns:GetTopicAttributes',
      'sns:Publish',
    ]);
    expect(allowedOn(template, { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Operations'), 'Arn'] })).toEqual([
      'kms:Decrypt',
      'kms:GenerateDataKey*',
    ]);
  });
});

describe('least privilege', () => {
  test('each secret allows what the rotation needs of it, and nothing else', () => {
    const template = templateOf({ function: () => ({ preflightRepairs: false }) });
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
    const without = actionsOf(templateOf({ function: () => ({ preflightRepairs: false }) }));
    for (const action of rotate) expect(without).not.toContain(action);
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
    const template = templateOf({
      function: (stack) => ({
        portalProfileParameter: ssm.StringParameter.fromStringParameterAttributes(stack, 'Profile', {
          parameterName: name,
          forceDynamicReference: true,
        }),
      }),
    });
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
    const template = templateOf({
      function: (stack) => ({
        evidenceBucket: s3.Bucket.fromBucketAttributes(stack, 'Evidence', {
          bucketName: 'evidence',
          encryptionKey: kms.Key.fromKeyArn(stack, 'EvidenceKey', keyArn),
        }),
      }),
    });
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
      Timeout: 900,
      ReservedConcurrentExecutions: Match.absent(),
    });
  });

  test('has the environment of the contract', () => {
    const environment = (props: RotationFunctionProps = {}) => {
      const template = templateOf({ function: () => props });
      const [fn] = Object.values(template.findResources('AWS::Lambda::Function'));
      return {
        topic: { Ref: idOf(template, 'AWS::SNS::Topic', 'FunctionTopic') },
        variables: fn?.Properties.Environment.Variables,
      };
    };
    const { topic, variables } = environment();
    expect(variables).toEqual({ ROTATION_TOPIC_ARN: topic });
    expect(environment({ preflightRepairs: false }).variables).toEqual({
      ROTATION_TOPIC_ARN: topic,
      PREFLIGHT_REPAIRS: 'off',
    });
  });

  test('logs into a group of its own, encrypted, kept for a year and longer than the stack', () => {
    const template = templateOf();
    template.hasResource('AWS::Logs::LogGroup', {
      Properties: {
        RetentionInDays: 365,
        KmsKeyId: { 'Fn::GetAtt': [idOf(template, 'AWS::KMS::Key', 'Operations'), 'Arn'] },
      },
      DeletionPolicy: 'Retain',
    });
    template.hasResource('AWS::KMS::Key', {
      Properties: { Description: Match.stringLikeRegexp('logs') },
      DeletionPolicy: 'Retain',
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      LoggingConfig: { LogGroup: { Ref: idOf(template, 'AWS::Logs::LogGroup') } },
    });
  });

  test('in a VPC, may send HTTPS, takes no connection, and its code may not touch the network', () => {
    const template = templateOf({
      function: (stack) => ({
        vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
          vpcId: 'vpc-0a1b2c3d',
          availabilityZones: ['a'],
          privateSubnetIds: ['subnet-0a1b2c3d'],
        }),
      }),
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [Match.objectLike({ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 })],
      SecurityGroupIngress: Match.absent(),
    });
    template.hasResourceProperties('AWS::Lambda::Function', { VpcConfig: { SubnetIds: ['subnet-0a1b2c3d'] } });
    const denied = statementsOf(template).filter(({ Effect }) => Effect === 'Deny');
    const allowed = statementsOf(template).filter(({ Action }) => Action.includes('ec2:CreateNetworkInterface'));
    expect(denied).toHaveLength(1);
    expect(allowed.map(({ Action }) => Action)).toEqual([denied[0]?.Action, denied[0]?.Action]);
    expect(denied[0]?.Condition).toEqual({
      ArnEquals: {
        'lambda:SourceFunctionArn': { 'Fn::GetAtt': [idOf(template, 'AWS::Lambda::Function'), 'Arn'] },
      },
    });
  });

  test('is refused a VPC without a way out', () => {
    const isolated = (stack: Stack) =>
      ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0a1b2c3d',
        availabilityZones: ['a'],
        isolatedSubnetIds: ['subnet-0a1b2c3d'],
      });
    expect(() => templateOf({ function: (stack) => ({ vpc: isolated(stack) }) })).toThrow(
      /^vpc: vpc-0a1b2c3d has no private subnet with a way out.* NAT gateway/,
    );
  });

  test('is traced where that is wanted', () => {
    templateOf({ function: () => ({ tracing: true }) }).hasResourceProperties('AWS::Lambda::Function', {
      TracingConfig: { Mode: 'Active' },
    });
    templateOf().hasResourceProperties('AWS::Lambda::Function', { TracingConfig: Match.absent() });
  });
});

describe('what exists already', () => {
  const arnOf = (name: string, region = 'eu-central-1', account = '111122223333') =>
    `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AbCdEf`;
  const imported = (stack: Stack, arn: string) =>
    secretsmanager.Secret.fromSecretCompleteArn(stack, arn.slice(-12), arn);
  const here = { env: { region: 'eu-central-1', account: '111122223333' } };

  test('secrets are rotated as they are: none is created, none is written, no policy of theirs is replaced', () => {
    const { stack, rotation } = rotationStack({
      stack: here,
      rotation: (scope) => ({
        rotatedSecret: imported(scope, arnOf('client')),
        loginSecret: imported(scope, arnOf('login')),
        bridgeSecret: imported(scope, arnOf('bridge')),
      }),
    });
    rotation.grantConsume(new iam.ArnPrincipal('arn:aws:iam::444455556666:role/consumer'));
    const template = Template.fromStack(stack);
    template.resourceCountIs(secret, 0);
    template.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0);
    template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', { SecretId: arnOf('client') });
    expect(allowedOn(template, arnOf('client'))).toContain('secretsmanager:PutSecretValue');
    // Whoever deploys is told what to add to the policies that are not ours.
    expect(JSON.stringify(stack.node.findAll().flatMap(({ node }) => node.metadata))).toMatch(
      /was imported, and its policy is not written from here: add .*VersionStage/,
    );
  });

  test('a secret of the same app is written a policy for consumers of another account', () => {
    const { stack, rotation } = rotationStack({
      rotation: (scope) => ({
        rotatedSecret: new secretsmanager.Secret(scope, 'Own', { encryptionKey: new kms.Key(scope, 'OwnKey') }),
      }),
    });
    rotation.grantConsume(new iam.ArnPrincipal('arn:aws:iam::444455556666:role/consumer'));
    Template.fromStack(stack).hasResourceProperties('AWS::SecretsManager::ResourcePolicy', {
      SecretId: { Ref: Match.stringLikeRegexp('^Own') },
      ResourcePolicy: {
        Statement: Match.arrayWith([Match.objectLike({ Action: 'secretsmanager:GetSecretValue' })]),
      },
    });
  });

  test('of a topic, too, whoever deploys is told what to add to its policy', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:events';
    const { stack, rotation } = rotationStack({
      function: (scope) => ({ topic: sns.Topic.fromTopicArn(scope, 'Existing', topicArn) }),
    });
    rotation.grantSubscribe(new iam.AccountPrincipal('444455556666'));
    expect(JSON.stringify(stack.node.findAll().flatMap(({ node }) => node.metadata))).toMatch(
      /Existing was imported, and its policy is not written from here: add .*sns:Subscribe/,
    );
  });

  test.each([
    [
      arnOf('client', 'us-east-1'),
      /^rotatedSecret: .* is in region us-east-1, but must be in that of the stack, eu-central-1/,
    ],
    [arnOf('client', 'eu-central-1', '444455556666'), /^rotatedSecret: .* is in account 444455556666, but must be/],
  ])('%s is refused in eu-central-1', (arn, message) => {
    expect(() =>
      rotationStack({ stack: here, rotation: (scope) => ({ rotatedSecret: imported(scope, arn) }) }),
    ).toThrow(message);
  });

  test('a secret without its complete ARN is refused', () => {
    const byName = (stack: Stack) => secretsmanager.Secret.fromSecretNameV2(stack, 'ByName', 'tradeaware/client');
    expect(() => rotationStack({ rotation: (scope) => ({ loginSecret: byName(scope) }) })).toThrow(
      /^loginSecret: .* is not a complete ARN: import it by fromSecretCompleteArn/,
    );
  });

  test('a secret in two roles is refused, with both', () => {
    const twins = (stack: Stack) => ({
      rotatedSecret: imported(stack, arnOf('client')),
      bridgeSecret: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Again', arnOf('client')),
    });
    expect(() => rotationStack({ rotation: twins })).toThrow(
      /^rotatedSecret: .*:secret:client-AbCdEf is bridgeSecret too, but each needs its own/,
    );
  });

  test.each(['topic', 'alarmTopic'])('a FIFO topic as %s is refused', (prop) => {
    const arn = 'arn:aws:sns:eu-central-1:111122223333:events.fifo';
    const fifo = (stack: Stack) => ({ [prop]: sns.Topic.fromTopicArn(stack, 'Fifo', arn) });
    expect(() => rotationStack({ function: fifo })).toThrow(`${prop}: ${arn} is a FIFO topic: give a standard one`);
    const created = (stack: Stack) => ({ [prop]: new sns.Topic(stack, 'Fifo', { fifo: true }) });
    expect(() => rotationStack({ function: created })).toThrow('is a FIFO topic');
  });

  test('a topic and its key are used in place of new ones', () => {
    const topicArn = 'arn:aws:sns:eu-central-1:111122223333:events';
    const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
    const template = templateOf({
      function: (stack) => ({ topic: sns.Topic.fromTopicAttributes(stack, 'Events', { topicArn, keyArn }) }),
    });
    template.resourceCountIs('AWS::SNS::Topic', 1); // that of the alarms
    expect(allowedOn(template, topicArn)).toEqual(['sns:GetTopicAttributes', 'sns:Publish']);
    expect(allowedOn(template, keyArn)).toEqual(['kms:Decrypt', 'kms:GenerateDataKey*']);
  });
});

test('nothing has a name that could be taken', () => {
  for (const { Type, Properties } of Object.values(templateOf().toJSON().Resources) as {
    Type: string;
    Properties: Record<string, unknown>;
  }[]) {
    for (const name of ['Name', 'TopicName', 'FunctionName', 'RoleName', 'LogGroupName', 'AlarmName', 'QueueName']) {
      expect(typeof Properties[name], `${Type} ${name}`).not.toBe('string');
    }
  }
});

test('metrics are those of the client secret, and take options', () => {
  const { stack, rotation } = rotationStack();
  const metric = rotation.metricDaysSinceRotation({ period: Duration.days(1) });
  expect(metric).toMatchObject({
    namespace: 'RotateClientSecret',
    metricName: 'DaysSinceRotation',
    statistic: 'Maximum',
  });
  expect(stack.resolve(metric.dimensions)).toEqual({ secret: { Ref: 'RotationRotatedSecret1AEAB3FA' } });
});

describe('cdk-nag AwsSolutions', () => {
  const found = (stack: Stack) =>
    new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName);

  test('finds nothing but what is acknowledged with a reason', () => {
    // GIVEN
    const { stack } = rotationStack({
      function: (scope) => ({ evidenceBucket: s3.Bucket.fromBucketName(scope, 'Evidence', 'evidence'), tracing: true }),
    });
    Validations.of(stack).acknowledge({
      // Here, as its id has the name of the bucket in it.
      id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::evidence/portal/*]',
      reason: 'The name of each piece of evidence is new; the function may write below one prefix of one bucket.',
    });
    // WHEN, THEN
    expect(found(stack)).toEqual([]);
  });

  test('would find a topic without TLS', () => {
    const { stack } = rotationStack();
    new sns.Topic(stack, 'Open');
    expect(found(stack)).toContain('AwsSolutions-SNS3');
  });
});
