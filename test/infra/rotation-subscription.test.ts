import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test, vi } from 'vitest';
import {
  RotationSubscription,
  type RotationSubscriptionProps,
  RotationTarget,
} from '../../infra/rotation-subscription.ts';
import { eventTypes } from '../../lambda/rotation/rotation-event.ts';
import { idOf } from './synthesized.ts';

const clusterArn = 'arn:aws:ecs:eu-central-1:111122223333:cluster/live';
const serviceArn = 'arn:aws:ecs:eu-central-1:111122223333:service/live/orders';

const targets: Record<string, (stack: Stack) => RotationTarget> = {
  queue: (stack) => RotationTarget.queue(new sqs.Queue(stack, 'Queue', { enforceSSL: true })),
  function: (stack) =>
    RotationTarget.function(
      lambda.Function.fromFunctionArn(stack, 'Fn', 'arn:aws:lambda:eu-central-1:111122223333:function:x'),
    ),
  'ECS redeployment': (stack) => {
    const cluster = ecs.Cluster.fromClusterArn(stack, 'Cluster', clusterArn);
    return RotationTarget.ecsRedeployment(
      ecs.FargateService.fromFargateServiceAttributes(stack, 'Service', { cluster, serviceArn }),
    );
  },
};

function subscribed(
  target = 'queue',
  props: Partial<RotationSubscriptionProps> = {},
): { stack: Stack; template: Template } {
  const stack = new Stack(new App({ context: featureFlags }), 'Stack', {
    env: { account: '111122223333', region: 'eu-central-1' },
  });
  new RotationSubscription(stack, 'Orders', {
    topic: sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-central-1:444455556666:events'),
    target: targets[target]?.(stack) as RotationTarget,
    alarmTopic: sns.Topic.fromTopicArn(stack, 'Alarms', 'arn:aws:sns:eu-central-1:111122223333:alarms'),
    ...props,
  });
  return { stack, template: Template.fromStack(stack) };
}

const filterOf = (template: Template) =>
  Object.values(template.findResources('AWS::SNS::Subscription'))[0]?.Properties.FilterPolicy as Record<
    string,
    string[]
  >;

test.each([
  ['queue', 'sqs', ['rotation-started.v1', 'pending.v1', 'rotated.v1']],
  ['function', 'lambda', ['rotation-started.v1', 'pending.v1', 'rotated.v1']],
  ['ECS redeployment', 'lambda', ['rotated.v1']],
])(
  'a %s gets the events that it needs; what cannot be delivered waits in a queue, and an alarm tells',
  (target, protocol, types) => {
    const { template } = subscribed(target);
    const deadLetters = idOf(template, 'AWS::SQS::Queue', 'DeadLetters');
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: protocol,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters, 'Arn'] } },
      ...(protocol === 'sqs' && { RawMessageDelivery: true }),
    });
    expect(filterOf(template)).toEqual({ type: types.map((type) => `oauth2.client-secret.${type}`) });
    for (const type of filterOf(template).type ?? []) expect(eventTypes).toContain(type);
    template.hasResourceProperties('AWS::SQS::Queue', {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 1_209_600,
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [deadLetters, 'QueueName'] } }],
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      AlarmDescription: {
        'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp('could not be delivered.* Next: see that')])],
      },
      AlarmActions: ['arn:aws:sns:eu-central-1:111122223333:alarms'],
    });
  },
);

test('only this topic may fill the dead-letter queue, over TLS', () => {
  const { template } = subscribed();
  template.hasResourceProperties('AWS::SQS::QueuePolicy', {
    Queues: [{ Ref: idOf(template, 'AWS::SQS::Queue', 'DeadLetters') }],
    PolicyDocument: {
      Statement: [
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        Match.objectLike({
          Effect: 'Allow',
          Action: 'sqs:SendMessage',
          Principal: { Service: 'sns.amazonaws.com' },
          Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:eu-central-1:444455556666:events' } },
        }),
      ],
    },
  });
});

test('the filter takes other types, and clients where several share the topic', () => {
  expect(filterOf(subscribed('queue', { types: ['rotation-failed.v1'], clientIds: ['a', 'b'] }).template)).toEqual({
    type: ['oauth2.client-secret.rotation-failed.v1'],
    client_id: ['a', 'b'],
  });
});

test('a redeployment may update one service and nothing else, and what it fails at waits in the queue too', () => {
  const { template } = subscribed('ECS redeployment');
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy'));
  const statements = policy?.Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[];
  expect(statements.filter(({ Action }) => JSON.stringify(Action).includes('ecs'))).toEqual([
    { Effect: 'Allow', Action: 'ecs:UpdateService', Resource: serviceArn },
  ]);
  template.hasResourceProperties('AWS::Lambda::Function', {
    DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': [idOf(template, 'AWS::SQS::Queue', 'DeadLetters'), 'Arn'] } },
  });
});

test('a redeployment logs for a year, encrypted with the key that it is given', () => {
  const keyArn = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';
  const stack = new Stack();
  const service = ecs.FargateService.fromFargateServiceAttributes(stack, 'Service', {
    cluster: ecs.Cluster.fromClusterArn(stack, 'Cluster', clusterArn),
    serviceArn,
  });
  new RotationSubscription(stack, 'Orders', {
    topic: new sns.Topic(stack, 'Topic'),
    target: RotationTarget.ecsRedeployment(service, { encryptionKey: kms.Key.fromKeyArn(stack, 'Key', keyArn) }),
  });
  const logs = Template.fromStack(stack).findResources('AWS::Logs::LogGroup');
  expect(Object.values(logs).map(({ Properties }) => Properties)).toEqual([{ RetentionInDays: 365, KmsKeyId: keyArn }]);
});

test('a redeployment starts new tasks, by the real SDK', async () => {
  // GIVEN
  const sent: { target: unknown; body: unknown }[] = [];
  const ecsEndpoint = createServer(async (request, response) => {
    sent.push({ target: request.headers['x-amz-target'], body: await json(request) });
    response.setHeader('content-type', 'application/x-amz-json-1.1').end('{"service":{}}');
  });
  ecsEndpoint.listen(0, '127.0.0.1');
  await once(ecsEndpoint, 'listening');
  const [fn] = Object.values(subscribed('ECS redeployment').template.findResources('AWS::Lambda::Function'));
  const environment = {
    ...fn?.Properties.Environment.Variables,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_ECS: `http://127.0.0.1:${(ecsEndpoint.address() as AddressInfo).port}`,
  };
  for (const [name, value] of Object.entries<string>(environment)) vi.stubEnv(name, value);
  // WHEN
  const exported: { handler?: (event: unknown) => Promise<unknown> } = {};
  new Function('require', 'exports', fn?.Properties.Code.ZipFile)(createRequire(import.meta.url), exported);
  const answer = await exported.handler?.({}).finally(() => {
    vi.unstubAllEnvs();
    ecsEndpoint.close();
    ecsEndpoint.closeAllConnections();
  });
  // THEN
  expect(answer).toBeUndefined();
  expect(sent).toEqual([
    {
      target: 'AmazonEC2ContainerServiceV20141113.UpdateService',
      body: { cluster: clusterArn, service: 'orders', forceNewDeployment: true },
    },
  ]);
});

test.each(Object.keys(targets))('cdk-nag finds nothing in a subscription of a %s', (target) => {
  const { violations } = new AwsSolutionsChecks().validateScope(subscribed(target).stack.node.findChild('Orders'));
  expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
});
