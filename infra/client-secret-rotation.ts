import { Annotations, Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { RotationAlarms } from './alarms.ts';
import { keysOf, RotationFunction, throughSecretsManager } from './rotation-function.ts';

/** Properties of a ClientSecretRotation. */
export interface ClientSecretRotationProps {
  /**
   * The function that rotates. One can rotate several client secrets.
   *
   * @default - a new one with its defaults
   */
  readonly rotationFunction?: RotationFunction;

  /**
   * Days from one rotation to the next, 1 to 1000.
   *
   * @default 30
   */
  readonly rotationIntervalDays?: number;

  /**
   * The client secret, in this account and region, imported by its complete ARN.
   *
   * @default - a new one, without a value
   */
  readonly rotatedSecret?: secretsmanager.ISecret;

  /**
   * The login to the portal, in this account and region. Several client secrets may share one.
   *
   * @default - a new one, without a value
   */
  readonly loginSecret?: secretsmanager.ISecret;

  /**
   * Slot and bridge token, in this account and region. Each client secret needs its own.
   *
   * @default - a new one, without a value
   */
  readonly bridgeSecret?: secretsmanager.ISecret;

  /**
   * The key that encrypts the secrets that are created. The function uses it through Secrets Manager only; an imported key's
   * policy must leave that to IAM. An imported secret brings its own (`encryptionKey`).
   *
   * @default - a new key, rotated yearly
   */
  readonly secretsKey?: kms.IKey;

  /**
   * What becomes of the secrets, their key and their policies that are created here, when they or the stack are removed.
   *
   * @default RemovalPolicy.RETAIN
   */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * A client secret that rotates: the secret and the two that its rotation needs, the schedule, the daily preflight and the alarms.
 *
 * The secrets are created without a value, because values never pass through CloudFormation, and are kept whatever
 * happens to the stack. Neither creating nor updating this construct begins a rotation: the first is an operator's. One that
 * has failed and is unfinished is taken up again by an update of the interval or of the function's ARN, which then fails (aws/aws-cdk#28539).
 */
export class ClientSecretRotation extends Construct {
  /** The client secret that is rotated. Its value names the other two secrets by ARN. */
  readonly rotatedSecret: secretsmanager.ISecret;
  /** The login to the portal. Consumers never read it. */
  readonly loginSecret: secretsmanager.ISecret;
  /** Slot and bridge token, written by the function before a press. */
  readonly bridgeSecret: secretsmanager.ISecret;
  /** The function that rotates. */
  readonly rotationFunction: RotationFunction;
  /** What calls a person. */
  readonly alarms: RotationAlarms;
  private readonly removalPolicy: RemovalPolicy;
  /** The secrets that are created here, with their ids. */
  private readonly created = new Map<secretsmanager.ISecret, string>();

  constructor(scope: Construct, id: string, props: ClientSecretRotationProps = {}) {
    super(scope, id);
    const rotationIntervalDays = props.rotationIntervalDays ?? 30;
    // @see Secrets Manager API reference, RotationRulesType
    if (Token.isUnresolved(rotationIntervalDays)) {
      throw new Error('rotationIntervalDays: a number that is known at synth: RotationOverdue goes by two days more');
    }
    if (!Number.isInteger(rotationIntervalDays) || rotationIntervalDays < 1 || rotationIntervalDays > 1000) {
      throw new Error(`rotationIntervalDays: a whole number from 1 to 1000, not ${rotationIntervalDays}`);
    }
    const { removalPolicy = RemovalPolicy.RETAIN } = props;
    this.removalPolicy = removalPolicy;
    let secretsKey = props.secretsKey;
    const empty = (secretId: string, description: string, notScheduledBecause?: string) => {
      secretsKey ??= new kms.Key(this, 'SecretsKey', {
        description: 'Encrypts the client secret, the portal login and the bridge token',
        enableKeyRotation: true,
        removalPolicy,
      });
      return this.emptySecret(secretsKey, secretId, description, notScheduledBecause);
    };
    this.rotatedSecret = props.rotatedSecret ?? empty('RotatedSecret', 'OAuth client secret, rotated');
    this.loginSecret =
      props.loginSecret ??
      empty(
        'LoginSecret',
        'Login to the portal in which the client secret is rotated',
        'Only the portal can change this password; the operator stores it here.',
      );
    this.bridgeSecret =
      props.bridgeSecret ??
      empty(
        'BridgeSecret',
        'Access token for consumers while the client secret rotates, written by the rotation function only',
        'The rotation of the client secret writes a new token into it before each press.',
      );
    this.assertHere({
      rotatedSecret: this.rotatedSecret,
      loginSecret: this.loginSecret,
      bridgeSecret: this.bridgeSecret,
    });

    this.rotationFunction = props.rotationFunction ?? new RotationFunction(this, 'RotationFunction');
    this.rotationFunction.allowRotation(this);

    const schedule = new secretsmanager.CfnRotationSchedule(this, 'RotationSchedule', {
      secretId: this.rotatedSecret.secretArn,
      rotationLambdaArn: this.rotationFunction.function.functionArn,
      rotationRules: { automaticallyAfterDays: rotationIntervalDays },
      // CloudFormation rotates at once unless told not to: a deployment would press (aws/aws-cdk#25365).
      rotateImmediatelyOnUpdate: false,
    });
    schedule.addResourceDependency(this.rotationFunction.secretsManagerPermission);

    new events.Rule(this, 'DailyPreflight', {
      description: 'Looks daily whether the next rotation will succeed; never presses',
      schedule: events.Schedule.rate(Duration.days(1)),
      targets: [
        new targets.LambdaFunction(this.rotationFunction.function, {
          event: events.RuleTargetInput.fromObject({ Step: 'preflight', SecretId: this.rotatedSecret.secretArn }),
          retryAttempts: 0,
        }),
      ],
    });
    this.alarms = new RotationAlarms(this, 'Alarms', { rotation: this, rotationIntervalDays });
  }

  /**
   * Lets a program read the client secret, under AWSCURRENT and AWSPENDING, and the bridge token; never the login. Each request has
   * to name its staging label, as `consumer/` does.
   *
   * A principal of another account is let in by the policies of the secrets and of their key as well, where those are created
   * here; its own account has to allow it too.
   */
  grantConsume(grantee: iam.IGrantable): iam.Grant {
    const { rotatedSecret, bridgeSecret } = this;
    const reads = [
      this.grantRead(grantee, rotatedSecret, ['AWSCURRENT', 'AWSPENDING']),
      this.grantRead(grantee, bridgeSecret, ['AWSCURRENT']),
    ];
    const decrypts = [...keysOf([rotatedSecret, bridgeSecret])].map(([key, secrets]) => {
      const conditions = throughSecretsManager(secrets);
      return iam.Grant.addToPrincipalOrResource({
        grantee,
        actions: ['kms:Decrypt'],
        resourceArns: [key.keyArn],
        resourceSelfArns: ['*'],
        conditions,
        resource: this.withPolicy(key, (statement) => {
          // In the key's own policy the ARNs of its secrets would be a circular dependency; their policies are narrow enough.
          const viaService = conditions.StringEquals['kms:ViaService'];
          return key.addToResourcePolicy(
            statement.copy({ conditions: { StringEquals: { 'kms:ViaService': viaService } } }),
          );
        }),
      });
    });
    return [...reads, ...decrypts].reduce((all, grant) => all.combine(grant));
  }

  /**
   * Lets a principal, of another account as well, subscribe to the events.
   */
  grantSubscribe(grantee: iam.IGrantable): iam.Grant {
    const { topic } = this;
    return iam.Grant.addToPrincipalOrResource({
      grantee,
      actions: ['sns:Subscribe'],
      resourceArns: [topic.topicArn],
      resource: this.withPolicy(topic, (statement) => topic.addToResourcePolicy(statement)),
    });
  }

  /** What happens to the client secret, as CloudEvents. */
  get topic(): sns.ITopic {
    return this.rotationFunction.topic;
  }

  /** A metric that the function prints about this client secret. */
  metric(metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    return new cloudwatch.Metric({
      namespace: 'RotateClientSecret',
      metricName,
      dimensionsMap: { secret: this.rotatedSecret.secretArn },
      statistic: cloudwatch.Stats.SUM,
      ...options,
    });
  }

  /** Steps that began. One that neither succeeded nor failed is under way, or was killed. */
  metricStepsStarted(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('StepsStarted', options);
  }

  /** Steps that succeeded, or had nothing left to do: four in a rotation. */
  metricStepsSucceeded(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('StepsSucceeded', options);
  }

  /** Steps that failed: one for each try. */
  metricStepsFailed(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('StepsFailed', options);
  }

  /** Rotations that moved AWSCURRENT. */
  metricRotationsSucceeded(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('RotationsSucceeded', options);
  }

  /** Failures that no retry mends. */
  metricFatalFailures(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('FatalFailures', options);
  }

  /** 1 for a preflight that found all in order, 0 for another. */
  metricPreflightOk(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('PreflightOk', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  /** 1 for a preflight that saw the portal show another client secret than AWSCURRENT's, 0 for one that saw the same. */
  metricDrift(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('Drift', { statistic: cloudwatch.Stats.MINIMUM, ...options });
  }

  /** Age of the value under AWSCURRENT, in days, as of the daily preflight. */
  metricDaysSinceRotation(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metric('DaysSinceRotation', { statistic: cloudwatch.Stats.MAXIMUM, ...options });
  }

  private grantRead(grantee: iam.IGrantable, secret: secretsmanager.ISecret, stages: string[]): iam.Grant {
    return iam.Grant.addToPrincipalOrResource({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret.secretArn],
      resourceSelfArns: ['*'],
      conditions: { 'ForAnyValue:StringEquals': { 'secretsmanager:VersionStage': stages } },
      resource: this.withPolicy(secret, (statement) => this.addToSecretPolicy(secret, statement)),
    });
  }

  /** The resource, with another way to add to its policy; whoever deploys is told where there is none. */
  private withPolicy(
    resource: secretsmanager.ISecret | kms.IKey | sns.ITopic,
    add: (statement: iam.PolicyStatement) => iam.AddToResourcePolicyResult,
  ): iam.IResourceWithPolicy {
    const addToResourcePolicy = (statement: iam.PolicyStatement) => {
      const added = add(statement);
      if (!added.statementAdded) {
        const missing = JSON.stringify(Stack.of(this).resolve(statement.toStatementJson()));
        Annotations.of(this).addWarningV2(
          `rotate-client-secret:policy-of-${resource.node.id}`,
          `${resource.node.path} was imported, and its policy is not written from here: add ${missing} to it`,
        );
      }
      return added;
    };
    return Object.create(resource, { addToResourcePolicy: { value: addToResourcePolicy } }) as iam.IResourceWithPolicy;
  }

  private addToSecretPolicy(secret: secretsmanager.ISecret, statement: iam.PolicyStatement) {
    const id = this.created.get(secret);
    // An imported secret takes none: a policy would replace the one that it has.
    if (!id) return secret.addToResourcePolicy(statement);
    const policy = (this.node.tryFindChild(`${id}Policy`) ??
      new secretsmanager.CfnResourcePolicy(this, `${id}Policy`, {
        secretId: secret.secretArn,
        resourcePolicy: new iam.PolicyDocument(),
        blockPublicPolicy: true,
      })) as secretsmanager.CfnResourcePolicy;
    // A secret that stays goes on letting its consumers in.
    policy.applyRemovalPolicy(this.removalPolicy);
    (policy.resourcePolicy as iam.PolicyDocument).addStatements(statement);
    return { statementAdded: true, policyDependable: policy };
  }

  /** Three secrets, here: Secrets Manager rotates where it is, and hands the function secrets of its own account. */
  private assertHere(secrets: Record<string, secretsmanager.ISecret>): void {
    const { region, account } = Stack.of(this);
    const given = Object.entries(secrets);
    for (const [prop, { env, secretArn, secretFullArn }] of given) {
      const [twin] = given.find(([other, secret]) => other !== prop && secret.secretArn === secretArn) ?? [];
      if (twin) throw new Error(`${prop}: ${secretArn} is ${twin} too, but each needs its own`);
      // A policy and a metric need it, and the service misreads a partial one whose name ends in a hyphen and six letters.
      if (!secretFullArn)
        throw new Error(`${prop}: ${secretArn} is not a complete ARN: import it by fromSecretCompleteArn`);
      for (const [what, its, ours] of [
        ['region', env.region, region],
        ['account', env.account, account],
      ] as const) {
        if (Token.isUnresolved(its) || Token.isUnresolved(ours) || its === ours) continue;
        throw new Error(`${prop}: ${secretArn} is in ${what} ${its}, but must be in that of the stack, ${ours}`);
      }
    }
  }

  /** CloudFormation leaves a secret empty that has neither SecretString nor GenerateSecretString; `Secret` has one. */
  private emptySecret(
    encryptionKey: kms.IKey,
    id: string,
    description: string,
    notScheduledBecause?: string,
  ): secretsmanager.ISecret {
    const created = new secretsmanager.CfnSecret(this, id, { description, kmsKeyId: encryptionKey.keyArn });
    created.applyRemovalPolicy(this.removalPolicy);
    if (notScheduledBecause) {
      Validations.of(created).acknowledge({ id: 'AwsSolutions-SMG4', reason: notScheduledBecause });
    }
    const secret = secretsmanager.Secret.fromSecretAttributes(this, `${id}Import`, {
      secretCompleteArn: created.ref,
      encryptionKey,
    });
    this.created.set(secret, id);
    return secret;
  }
}
