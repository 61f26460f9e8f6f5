import { Aws, Duration, RemovalPolicy, Size, Validations } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import type * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { assetHandler, functionCode } from './function-asset.ts';

/** Properties of a ClientSecretRotation. */
export interface ClientSecretRotationProps {
  /**
   * Days from one rotation to the next, 1 to 1000.
   *
   * @default 30
   */
  readonly rotationIntervalDays?: number;

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
   * The key that encrypts the three secrets. The function uses it through Secrets Manager only; an imported key's
   * policy must leave that to IAM.
   *
   * @default - a new key, rotated yearly, kept when the stack is deleted
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * The function's code.
   *
   * @default - lambda/handler.ts and Chromium, built at synth
   */
  readonly code?: lambda.Code;
}

/**
 * A client secret that rotates: the secret and the two that its rotation needs, the function, the topic, the schedule
 * and the daily preflight.
 *
 * The secrets are created without a value, because values never pass through CloudFormation, and are kept whatever
 * happens to the stack. Neither creating nor updating this construct rotates: the first rotation is an operator's.
 */
export class ClientSecretRotation extends Construct {
  /** The client secret that is rotated. Its value names the other two secrets by ARN. */
  readonly rotatedSecret: secretsmanager.ISecret;
  /** The login to the portal. Consumers never read it. */
  readonly loginSecret: secretsmanager.ISecret;
  /** Slot and bridge token, written by the function before a press. */
  readonly bridgeSecret: secretsmanager.ISecret;
  /** What happens to the client secret, as CloudEvents. */
  readonly topic: sns.ITopic;
  /** The rotation function. */
  readonly rotationFunction: lambda.IFunction;

  constructor(scope: Construct, id: string, props: ClientSecretRotationProps = {}) {
    super(scope, id);
    const preflightRepairs = props.preflightRepairs ?? true;
    const encryptionKey =
      props.encryptionKey ??
      new kms.Key(this, 'SecretsKey', {
        description: 'Encrypts the client secret, the portal login and the bridge token',
        enableKeyRotation: true,
        removalPolicy: RemovalPolicy.RETAIN,
      });
    this.rotatedSecret = this.emptySecret(encryptionKey, 'RotatedSecret', 'OAuth client secret, rotated');
    this.loginSecret = this.emptySecret(
      encryptionKey,
      'LoginSecret',
      'Login to the portal in which the client secret is rotated',
      'Only the portal can change this password; the operator stores it here.',
    );
    this.bridgeSecret = this.emptySecret(
      encryptionKey,
      'BridgeSecret',
      'Access token for consumers while the client secret rotates, written by the rotation function only',
      'The rotation of the client secret writes a new token into it before each press.',
    );

    const topicKey = new kms.Key(this, 'TopicKey', {
      description: 'Encrypts the rotation events',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const topic = new sns.Topic(this, 'Topic', {
      displayName: 'Client secret rotation',
      masterKey: topicKey,
      enforceSSL: true,
      signatureVersion: '2',
    });
    this.topic = topic;

    const logGroup = new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_YEAR });
    const role = new iam.Role(this, 'Role', {
      description: 'The client secret rotation function',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const allow = (actions: string[], resource: string, conditions: Record<string, Record<string, string>> = {}) =>
      role.addToPolicy(new iam.PolicyStatement({ actions, resources: [resource], conditions }));
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn);
    allow(
      [
        'secretsmanager:DescribeSecret',
        'secretsmanager:GetSecretValue',
        'secretsmanager:ListSecretVersionIds',
        'secretsmanager:PutSecretValue',
        'secretsmanager:TagResource',
        'secretsmanager:UpdateSecretVersionStage',
      ],
      this.rotatedSecret.secretArn,
    );
    allow(['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'], this.loginSecret.secretArn);
    allow(
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      this.bridgeSecret.secretArn,
    );
    // @see Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager"
    allow(['kms:Decrypt', 'kms:GenerateDataKey'], encryptionKey.keyArn, {
      StringEquals: { 'kms:ViaService': `secretsmanager.${Aws.REGION}.amazonaws.com` },
    });
    allow(['sns:GetTopicAttributes', 'sns:Publish'], topic.topicArn);
    // @see SNS developer guide, "Managing Amazon SNS encryption keys and costs"
    allow(['kms:Decrypt', 'kms:GenerateDataKey*'], topicKey.keyArn);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]',
      reason:
        'Publishing to an encrypted topic needs the family of GenerateDataKey actions, as SNS documents; on one key.',
    });
    if (props.evidenceBucket) {
      allow(['s3:PutObject'], props.evidenceBucket.arnForObjects('portal/*'));
      const bucketKey = props.evidenceBucket.encryptionKey;
      if (bucketKey) allow(['kms:GenerateDataKey'], bucketKey.keyArn);
    }
    if (props.portalProfileParameter) allow(['ssm:GetParameter'], props.portalProfileParameter.parameterArn);

    const rotationFunction = new lambda.Function(this, 'Function', {
      description: 'Rotates an OAuth client secret in the portal of its provider',
      code: props.code ?? functionCode(),
      handler: assetHandler,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.X86_64,
      memorySize: 2048,
      ephemeralStorageSize: Size.gibibytes(1),
      timeout: Duration.minutes(15),
      role,
      logGroup,
      // A preflight that failed has said so; Secrets Manager retries a rotation by itself. No reserved concurrency
      // either: it is no mutex, and makes rotations loop (Secrets Manager user guide, "Troubleshoot rotation").
      retryAttempts: 0,
      environment: {
        ROTATION_TOPIC_ARN: topic.topicArn,
        ...(props.portalProfileParameter && { PORTAL_PROFILE_PARAMETER: props.portalProfileParameter.parameterName }),
        ...(props.evidenceBucket && { EVIDENCE_BUCKET: props.evidenceBucket.bucketName }),
        ...(!preflightRepairs && { PREFLIGHT_REPAIRS: 'off' }),
      },
    });
    this.rotationFunction = rotationFunction;

    if (preflightRepairs) {
      // A policy of its own: in the role's default policy, the function's ARN would be a circular dependency.
      // @see Secrets Manager API reference, RotateSecret: its caller needs lambda:InvokeFunction too.
      new iam.Policy(this, 'RepairsPolicy', {
        roles: [role],
        statements: [
          new iam.PolicyStatement({
            actions: ['secretsmanager:RotateSecret'],
            resources: [this.rotatedSecret.secretArn],
          }),
          new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [rotationFunction.functionArn] }),
        ],
      });
    }

    // Not secretsmanager.RotationSchedule: that adds an invoke permission without SourceAccount (aws/aws-cdk#29791)
    // and grants the function more than it needs.
    const invoke = new lambda.CfnPermission(this, 'SecretsManagerInvoke', {
      action: 'lambda:InvokeFunction',
      functionName: rotationFunction.functionArn,
      principal: 'secretsmanager.amazonaws.com',
      sourceAccount: Aws.ACCOUNT_ID,
    });
    const schedule = new secretsmanager.CfnRotationSchedule(this, 'RotationSchedule', {
      secretId: this.rotatedSecret.secretArn,
      rotationLambdaArn: rotationFunction.functionArn,
      rotationRules: { automaticallyAfterDays: props.rotationIntervalDays ?? 30 },
      // CloudFormation rotates at once unless told not to: a deployment would press (aws/aws-cdk#25365).
      rotateImmediatelyOnUpdate: false,
    });
    schedule.addResourceDependency(invoke);

    new events.Rule(this, 'DailyPreflight', {
      description: 'Looks daily whether the next rotation will succeed; never presses',
      schedule: events.Schedule.rate(Duration.days(1)),
      targets: [
        new targets.LambdaFunction(rotationFunction, {
          event: events.RuleTargetInput.fromObject({ Step: 'preflight', SecretId: this.rotatedSecret.secretArn }),
        }),
      ],
    });
  }

  /** CloudFormation leaves a secret empty that has neither SecretString nor GenerateSecretString; `Secret` has one. */
  private emptySecret(encryptionKey: kms.IKey, id: string, description: string, notScheduledBecause?: string) {
    const secret = new secretsmanager.CfnSecret(this, id, { description, kmsKeyId: encryptionKey.keyArn });
    secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
    if (notScheduledBecause) {
      Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason: notScheduledBecause });
    }
    return secretsmanager.Secret.fromSecretAttributes(this, `${id}Import`, {
      secretCompleteArn: secret.ref,
      encryptionKey,
    });
  }
}
