import { Duration, Validations } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { addAlarm } from './alarms.ts';

/** The events, by the attribute `type` without its prefix. */
export type RotationEventType =
  | 'rotation-started.v1'
  | 'pending.v1'
  | 'rotated.v1'
  | 'rotation-failed.v1'
  | 'preflight-failed.v1'
  | 'preflight-recovered.v1';

/** Properties of a RotationSubscription. */
export interface RotationSubscriptionProps {
  /** The topic of the rotation, imported by its ARN where it is another stack's or account's. */
  readonly topic: sns.ITopic;

  /** What happens upon an event. */
  readonly target: RotationTarget;

  /**
   * Which events.
   *
   * @default - what the target needs: redeployments `rotated.v1` only, everyone else `rotation-started.v1`, `pending.v1` and `rotated.v1`
   */
  readonly types?: readonly RotationEventType[];

  /**
   * Of which client, where several share the topic.
   *
   * @default - of all
   */
  readonly clientIds?: readonly string[];

  /**
   * Where the alarm goes.
   *
   * @default - the alarm is there, and calls nobody
   */
  readonly alarmTopic?: sns.ITopic;
}

/** What happens upon an event: one of `RotationTarget.queue`, `.function`, `.ecsRedeployment`. */
export interface RotationTarget {
  /** What the target needs where the subscription names no types. */
  readonly defaultTypes: readonly RotationEventType[];

  /** Called by the subscription, once. */
  bind(scope: Construct, options: subscriptions.SubscriptionProps): sns.ITopicSubscription;
}

/** Properties of `RotationTarget.ecsRedeployment`. */
export interface EcsRedeploymentProps {
  /**
   * The key that encrypts the log, such as the `operationsKey` of a `RotationFunction`. Its policy must let CloudWatch Logs use it.
   *
   * @default - CloudWatch Logs' own
   */
  readonly encryptionKey?: kms.IKey;
}

const consumerTypes: readonly RotationEventType[] = ['rotation-started.v1', 'pending.v1', 'rotated.v1'];

/** The targets of a subscription. */
export const RotationTarget = {
  /** The event as it is, without SNS's envelope, into the queue. */
  queue: (queue: sqs.IQueue): RotationTarget => ({
    defaultTypes: consumerTypes,
    bind: (_scope, options) => new subscriptions.SqsSubscription(queue, { rawMessageDelivery: true, ...options }),
  }),

  /** An invocation with the event in SNS's envelope. What the function itself fails at, goes where its own configuration says. */
  function: (fn: lambda.IFunction): RotationTarget => ({
    defaultTypes: consumerTypes,
    bind: (_scope, options) => new subscriptions.LambdaSubscription(fn, options),
  }),

  /**
   * New tasks for the service, for programs that hold the client secret in their environment. That the old ones go on until the
   * new ones are healthy is the service's own to say: `minHealthyPercent` 100, which is not the CDK's default, and a health check.
   */
  ecsRedeployment: (service: ecs.IBaseService, props: EcsRedeploymentProps = {}): RotationTarget => ({
    defaultTypes: ['rotated.v1'],
    bind: (scope, options) =>
      new subscriptions.LambdaSubscription(redeployment(scope, service, props, options), options),
  }),
};

/**
 * One team's subscription: the target, a filter, a queue for what could not be delivered, and an alarm on that.
 */
export class RotationSubscription extends Construct {
  /** What could not be delivered. */
  readonly deadLetterQueue: sqs.IQueue;
  /** Says that something could not be delivered. */
  readonly alarm: cloudwatch.Alarm;

  constructor(scope: Construct, id: string, props: RotationSubscriptionProps) {
    super(scope, id);
    const { topic, target, types = target.defaultTypes, clientIds, alarmTopic } = props;
    const deadLetterQueue = new sqs.Queue(this, 'DeadLetters', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(deadLetterQueue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself.',
    });
    this.deadLetterQueue = deadLetterQueue;
    topic.addSubscription(
      target.bind(this, {
        deadLetterQueue,
        filterPolicy: {
          type: sns.SubscriptionFilter.stringFilter({ allowlist: types.map((type) => `oauth2.client-secret.${type}`) }),
          ...(clientIds && { client_id: sns.SubscriptionFilter.stringFilter({ allowlist: [...clientIds] }) }),
        },
      }),
    );
    this.alarm = addAlarm(
      this,
      'DeadLettersAlarm',
      alarmTopic,
      `A rotation event could not be delivered to ${this.node.path}. Next: see that its consumers have the new client secret, mend the target, then purge or redrive ${deadLetterQueue.queueArn}.`,
      {
        metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: cloudwatch.Stats.MAXIMUM }),
        threshold: 1,
        evaluationPeriods: 1,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      },
    );
  }
}

/** The AWS SDK is in the runtime. */
const redeploymentCode = `
const { ECSClient, UpdateServiceCommand } = require('@aws-sdk/client-ecs');
const ecs = new ECSClient();
exports.handler = () => ecs.send(new UpdateServiceCommand({
  cluster: process.env.CLUSTER, service: process.env.SERVICE, forceNewDeployment: true,
})).then(() => undefined);
`.trim();

function redeployment(
  scope: Construct,
  service: ecs.IBaseService,
  { encryptionKey }: EcsRedeploymentProps,
  { deadLetterQueue }: subscriptions.SubscriptionProps,
): lambda.IFunction {
  const retention = logs.RetentionDays.ONE_YEAR;
  const logGroup = new logs.LogGroup(scope, 'RedeploymentLogs', { retention, encryptionKey });
  const role = new iam.Role(scope, 'RedeploymentRole', {
    description: 'Redeploys one ECS service when its client secret has been rotated',
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  role.addToPolicy(
    new iam.PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    }),
  );
  role.addToPolicy(new iam.PolicyStatement({ actions: ['ecs:UpdateService'], resources: [service.serviceArn] }));
  return new lambda.Function(scope, 'Redeployment', {
    description: 'Redeploys one ECS service when its client secret has been rotated',
    code: lambda.Code.fromInline(redeploymentCode),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    timeout: Duration.seconds(30),
    role,
    logGroup,
    // What fails twice more lies in the queue, and the alarm tells.
    deadLetterQueue,
    environment: { CLUSTER: service.cluster.clusterArn, SERVICE: service.serviceName },
  });
}
