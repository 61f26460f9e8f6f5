import { ArnFormat, Aws, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { addAlarm } from './alarms.ts';
import { assetHandler, functionCode } from './function-asset.ts';

/** Properties of a RotationFunction. */
export interface RotationFunctionProps {
  /**
   * Where the function publishes what happens to the client secrets. Of an imported one, the policy must let the function's
   * role and the subscribers in, and the policy of its key (`masterKey`) the role.
   *
   * @default - a new one, encrypted, TLS only
   */
  readonly topic?: sns.ITopic;

  /**
   * Where alarms go: somebody has to subscribe. Of an imported one, the policy must let CloudWatch and EventBridge publish.
   *
   * @default - a new one, encrypted, TLS only
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * The key that encrypts the new topics and the logs. An imported key's policy must let CloudWatch Logs, CloudWatch and
   * EventBridge use it, and leave the rest to IAM.
   *
   * @default - a new key, rotated yearly
   */
  readonly operationsKey?: kms.IKey;

  /**
   * Where the portal profile is read from, so that labels can be corrected without a deployment.
   *
   * @default - the built-in profile: TradeAware's portal in English
   */
  readonly portalProfileParameter?: ssm.IParameter;

  /**
   * Where the function puts what it saw when the portal was not as expected. It may write objects, and read none.
   *
   * @default - no evidence is kept
   */
  readonly evidenceBucket?: s3.IBucket;

  /**
   * Whether the daily preflight repairs what needs no press. Without it the function may not start a rotation.
   *
   * @default true
   */
  readonly preflightRepairs?: boolean;

  /**
   * The network that the function runs in: its private subnets, with a way out to the portal and to AWS.
   *
   * @default - Lambda's own, which nothing can connect to
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Whether invocations are traced with X-Ray.
   *
   * @default false
   */
  readonly tracing?: boolean;

  /**
   * How long the logs are kept.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * The function's code.
   *
   * @default - lambda/handler.ts and Chromium, built at synth
   */
  readonly code?: lambda.Code;
}

/** The three secrets of a rotation. */
export interface RotationSecrets {
  readonly rotatedSecret: secretsmanager.ISecret;
  readonly loginSecret: secretsmanager.ISecret;
  readonly bridgeSecret: secretsmanager.ISecret;
}

/**
 * The rotation function with what it speaks through: its role, its log, the topic of events and the topic of alarms. One can
 * rotate many client secrets; `ClientSecretRotation` brings the permissions for each.
 */
export class RotationFunction extends Construct {
  /** The function itself. */
  readonly function: lambda.IFunction;
  /** What happens to the client secrets, as CloudEvents. */
  readonly topic: sns.ITopic;
  /** Where alarms go. */
  readonly alarmTopic: sns.ITopic;
  /** What encrypts the new topics and the logs. */
  readonly operationsKey: kms.IKey;
  /** What the function says, as a line of JSON a fact. */
  readonly logGroup: logs.ILogGroup;
  /** Whether the daily preflight repairs what needs no press. */
  readonly preflightRepairs: boolean;
  /** Says that Lambda refused to run the function. */
  readonly throttled: cloudwatch.Alarm;
  /** Lets Secrets Manager invoke the function, for the secrets of this account. */
  readonly secretsManagerPermission: lambda.CfnPermission;
  private readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: RotationFunctionProps = {}) {
    super(scope, id);
    for (const prop of ['topic', 'alarmTopic'] as const) {
      // The events are published without a group, and CloudWatch knows standard topics only.
      if (props[prop]?.fifo) throw new Error(`${prop}: ${props[prop].topicArn} is a FIFO topic: give a standard one`);
    }
    this.preflightRepairs = props.preflightRepairs ?? true;
    this.operationsKey = props.operationsKey ?? this.newOperationsKey();
    this.topic = props.topic ?? this.newTopic('Topic', 'Client secret rotation', this.operationsKey);
    this.alarmTopic = props.alarmTopic ?? this.newAlarmTopic(this.operationsKey);
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      encryptionKey: this.operationsKey,
      retention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.role = new iam.Role(this, 'Role', {
      description: 'The client secret rotation function',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], this.logGroup.logGroupArn);
    this.allow(['sns:GetTopicAttributes', 'sns:Publish'], this.topic.topicArn);
    if (this.topic.masterKey) {
      // @see SNS developer guide, "Managing Amazon SNS encryption keys and costs"
      this.allow(['kms:Decrypt', 'kms:GenerateDataKey*'], this.topic.masterKey.keyArn);
      Validations.of(this.role).acknowledge({
        id: 'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]',
        reason:
          'Publishing to an encrypted topic needs the family of GenerateDataKey actions, as SNS documents; on one key.',
      });
    }
    if (props.evidenceBucket) {
      this.allow(['s3:PutObject'], props.evidenceBucket.arnForObjects('portal/*'));
      const bucketKey = props.evidenceBucket.encryptionKey;
      if (bucketKey) this.allow(['kms:GenerateDataKey'], bucketKey.keyArn);
    }
    if (props.portalProfileParameter) this.allow(['ssm:GetParameter'], props.portalProfileParameter.parameterArn);

    const rotationFunction = new lambda.Function(this, 'Function', {
      description: 'Rotates OAuth client secrets in the portal of their provider',
      code: props.code ?? functionCode(),
      handler: assetHandler,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.X86_64,
      memorySize: 2048,
      timeout: Duration.minutes(15),
      role: this.role,
      logGroup: this.logGroup,
      tracing: props.tracing ? lambda.Tracing.ACTIVE : lambda.Tracing.DISABLED,
      ...(props.vpc && this.network(props.vpc)),
      // A preflight that failed has said so; Secrets Manager retries a rotation by itself. No reserved concurrency
      // either: it is no mutex, and makes rotations loop (Secrets Manager user guide, "Troubleshoot rotation").
      retryAttempts: 0,
      environment: {
        ROTATION_TOPIC_ARN: this.topic.topicArn,
        ...(props.portalProfileParameter && { PORTAL_PROFILE_PARAMETER: props.portalProfileParameter.parameterName }),
        ...(props.evidenceBucket && { EVIDENCE_BUCKET: props.evidenceBucket.bucketName }),
        ...(!this.preflightRepairs && { PREFLIGHT_REPAIRS: 'off' }),
      },
    });
    this.function = rotationFunction;
    this.throttled = addAlarm(
      this,
      'Throttled',
      this.alarmTopic,
      `Lambda refused three times in an hour to run the rotation function. Next: raise the concurrency of the account, and reserve none for this function: that makes rotations loop. Function ${rotationFunction.functionArn}.`,
      {
        metric: rotationFunction.metricThrottles({ period: Duration.hours(1) }),
        threshold: 3,
        evaluationPeriods: 1,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
    this.allowByFunctionArn(rotationFunction.functionArn, props.vpc !== undefined);
    if (props.tracing) {
      Validations.of(this.role).acknowledge({
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason: 'X-Ray has no resources to name.',
      });
    }

    // Once for all the secrets of this account. Not secretsmanager.RotationSchedule, whose permission has no SourceAccount
    // (aws/aws-cdk#29791).
    this.secretsManagerPermission = new lambda.CfnPermission(this, 'SecretsManagerInvoke', {
      action: 'lambda:InvokeFunction',
      functionName: rotationFunction.functionArn,
      principal: 'secretsmanager.amazonaws.com',
      sourceAccount: Aws.ACCOUNT_ID,
    });
  }

  /** Lets the function rotate one client secret: what a rotation and a preflight ask of each of its three secrets. */
  allowRotation({ rotatedSecret, loginSecret, bridgeSecret }: RotationSecrets): void {
    const onlyCurrent = { 'ForAnyValue:StringEquals': { 'secretsmanager:VersionStage': 'AWSCURRENT' } };
    this.allow(
      [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:PutSecretValue',
        'secretsmanager:UpdateSecretVersionStage',
        ...(this.preflightRepairs ? ['secretsmanager:RotateSecret'] : []),
      ],
      rotatedSecret.secretArn,
    );
    this.allow(['secretsmanager:TagResource'], rotatedSecret.secretArn, {
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['preflight', 'login-refused'] },
    });
    this.allow(['secretsmanager:DescribeSecret'], loginSecret.secretArn);
    this.allow(['secretsmanager:GetSecretValue'], loginSecret.secretArn, onlyCurrent);
    this.allow(
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      bridgeSecret.secretArn,
    );
    for (const [key, secrets] of keysOf([rotatedSecret, loginSecret, bridgeSecret])) {
      this.allow(['kms:Decrypt', 'kms:GenerateDataKey'], key.keyArn, throughSecretsManager(secrets));
    }
  }

  private allow(actions: string[], resource: string, conditions: iam.Conditions = {}) {
    this.role.addToPolicy(new iam.PolicyStatement({ actions, resources: [resource], conditions }));
  }

  /** In a policy of their own: in the role's default policy, the function's ARN would be a circular dependency. */
  private allowByFunctionArn(functionArn: string, inVpc: boolean): void {
    const statements: iam.PolicyStatement[] = [];
    if (this.preflightRepairs) {
      // @see Secrets Manager API reference, RotateSecret: its caller needs lambda:InvokeFunction too.
      statements.push(new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] }));
    }
    if (inVpc) {
      // @see AWS Lambda developer guide, "Giving Lambda functions access to resources in an Amazon VPC"
      const actions = [
        'ec2:AssignPrivateIpAddresses',
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:UnassignPrivateIpAddresses',
      ];
      statements.push(
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          actions,
          resources: ['*'],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
        }),
      );
      this.allow(actions, '*');
      Validations.of(this.role).acknowledge({
        id: 'AwsSolutions-IAM5[Resource::*]',
        reason:
          'Lambda manages network interfaces with the role, on resources not known before; the code itself is denied it.',
      });
    }
    if (statements.length > 0) new iam.Policy(this, 'SelfPolicy', { roles: [this.role], statements });
  }

  private network(vpc: ec2.IVpc): Pick<lambda.FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'> {
    if (vpc.privateSubnets.length === 0) {
      throw new Error(
        `vpc: ${vpc.vpcId} has no private subnet with a way out, which the function needs for the portal and for AWS: give one with a NAT gateway, or none`,
      );
    }
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Client secret rotation: HTTPS out, nothing in',
      allowAllOutbound: false,
    });
    securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'The portal, the token endpoint and AWS');
    return { vpc, vpcSubnets: { subnets: vpc.privateSubnets }, securityGroups: [securityGroup] };
  }

  private newOperationsKey(): kms.Key {
    const key = new kms.Key(this, 'OperationsKey', {
      description: 'Encrypts the events, the alarms and the logs of client secret rotations',
      enableKeyRotation: true,
      // With the key, the logs that outlive the stack would be lost.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // @see CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
        actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': Stack.of(this).formatArn({
              service: 'logs',
              resource: 'log-group',
              resourceName: '*',
              arnFormat: ArnFormat.COLON_RESOURCE_NAME,
            }),
          },
        },
      }),
    );
    return key;
  }

  private newTopic(id: string, displayName: string, masterKey: kms.IKey): sns.Topic {
    return new sns.Topic(this, id, { displayName, masterKey, enforceSSL: true, signatureVersion: '2' });
  }

  private newAlarmTopic(masterKey: kms.IKey): sns.Topic {
    const topic = this.newTopic('AlarmTopic', 'Client secret rotation: alarms', masterKey);
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    // Without SourceAccount or SourceArn, which EventBridge does not send along: its messages would vanish. So it is in the
    // policy of the topic, where its target makes the statement. @see Amazon EventBridge user guide, "Using resource-based
    // policies for Amazon EventBridge", Amazon SNS permissions
    masterKey.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: ['cloudwatch', 'events'].map((service) => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
      }),
    );
    return topic;
  }
}

/** The keys of the secrets, each with the secrets that it encrypts. */
export function keysOf(secrets: secretsmanager.ISecret[]): Map<kms.IKey, secretsmanager.ISecret[]> {
  const keys = secrets.flatMap(({ encryptionKey }) => encryptionKey ?? []);
  return new Map(keys.map((key) => [key, secrets.filter(({ encryptionKey }) => encryptionKey === key)]));
}

/**
 * That a key is used through Secrets Manager, and for these secrets.
 *
 * @see Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager"
 */
export function throughSecretsManager(secrets: secretsmanager.ISecret[]) {
  return {
    StringEquals: {
      'kms:ViaService': `secretsmanager.${Aws.REGION}.amazonaws.com`,
      'kms:EncryptionContext:SecretARN': secrets.map(({ secretArn }) => secretArn),
    },
  };
}
