import { Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { stackOf } from './synthesized.ts';

const arnOf = (name: string) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:tradeaware/${name}-AbCdEf`;
const key = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';

/** The shapes that users choose. */
const shapes: Record<string, Record<string, unknown>> = {
  'one client secret, all new': {},
  'two client secrets, one function': { clientSecrets: { Live: {}, Test: {} } },
  'two client secrets, a function each': { clientSecrets: { Live: {}, Test: {} }, sharedFunction: false },
  'existing secrets, keys and topics': {
    clientSecrets: {
      Live: { rotatedSecretArn: arnOf('client'), loginSecretArn: arnOf('login'), bridgeSecretArn: arnOf('bridge') },
    },
    secretsKeyArn: key,
    operationsKeyArn: key,
    topicArn: 'arn:aws:sns:eu-central-1:111122223333:events',
    topicKeyArn: key,
    alarmTopicArn: 'arn:aws:sns:eu-central-1:111122223333:alarms',
  },
  'consumers and subscribers in another account': {
    clientSecrets: { Rotation: { consumers: ['arn:aws:iam::444455556666:role/orders'] } },
    subscriberAccounts: ['444455556666'],
  },
  'a network of its own, evidence, a profile, traces': {
    vpc: 'new',
    evidenceBucketName: 'evidence',
    portalProfileParameter: '/tradeaware/portal-profile',
    tracing: true,
  },
};

describe.each(Object.entries(shapes))('%s', (_name, context) => {
  const stack = stackOf(context);
  const template = Template.fromStack(stack);

  test('has these resources', () => {
    const { Resources } = template.toJSON() as { Resources: Record<string, { Type: string; DeletionPolicy?: string }> };
    const lines = Object.entries(Resources).map(
      ([id, { Type, DeletionPolicy }]) => `${Type} ${id}${DeletionPolicy ? `, ${DeletionPolicy}` : ''}`,
    );
    expect(lines.sort().join('\n')).toMatchSnapshot();
  });

  test('never rotates by being deployed, and holds no value of a secret', () => {
    template.allResourcesProperties('AWS::SecretsManager::RotationSchedule', { RotateImmediatelyOnUpdate: false });
    for (const { Properties } of Object.values(template.findResources('AWS::SecretsManager::Secret'))) {
      expect(Object.keys(Properties).sort()).toEqual(['Description', 'KmsKeyId']);
    }
  });

  test('cdk-nag AwsSolutions finds nothing', () => {
    const { violations } = new AwsSolutionsChecks().validateScope(stack);
    expect(violations.map(({ ruleName, violatingResources }) => ({ ruleName, violatingResources }))).toEqual([]);
  });

  test('is synthesized without a warning', () => {
    const { messages } = Stage.of(stack)?.synth().getStackArtifact(stack.artifactId) ?? {};
    expect(messages?.map(({ entry }) => entry.data)).toEqual([]);
  });

  test('asks for a bootstrapped account, and says so', () => {
    const { Assertions } = template.toJSON().Rules?.CheckBootstrapVersion ?? {};
    expect(Assertions?.[0].AssertDescription).toContain("Please run 'cdk bootstrap'");
  });
});

test.each([true, false])(
  'in a network of its own (sharedFunction: %j) every function is in it, every log encrypted',
  (sharedFunction) => {
    const template = Template.fromStack(stackOf({ vpc: 'new', clientSecrets: { Live: {}, Test: {} }, sharedFunction }));
    const propertiesOf = (type: string) =>
      Object.values(template.findResources(type)).map(({ Properties }) => Object.keys(Properties));
    const functions = propertiesOf('AWS::Lambda::Function');
    expect(functions).toHaveLength(sharedFunction ? 1 : 2);
    for (const keys of functions) expect(keys).toContain('VpcConfig');
    for (const keys of propertiesOf('AWS::Logs::LogGroup')) expect(keys).toContain('KmsKeyId');
  },
);

test('every role gets the permissions boundary that an account may ask for', () => {
  const template = Template.fromStack(
    stackOf({ vpc: 'new' }, { '@aws-cdk/core:permissionsBoundary': { name: 'fence' } }),
  );
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  expect(roles.length).toBeGreaterThan(1);
  for (const { Properties } of roles) expect(JSON.stringify(Properties.PermissionsBoundary)).toContain('policy/fence');
});

test.each([
  [18, true],
  [15, false],
])(
  'CloudFormation takes %j client secrets with all that can be asked for (sharedFunction: %j), and one more is refused',
  (most, sharedFunction) => {
    const consumers = ['arn:aws:iam::444455556666:role/orders'];
    const contextOf = (count: number) => ({
      ...shapes['a network of its own, evidence, a profile, traces'],
      clientSecrets: Object.fromEntries(Array.from({ length: count }, (_, index) => [`Client${index}`, { consumers }])),
      sharedFunction,
    });
    const { Resources, Outputs } = Template.fromStack(stackOf(contextOf(most))).toJSON();
    expect(Object.keys(Resources).length).toBeLessThanOrEqual(500);
    expect(Object.keys(Outputs).length).toBeLessThanOrEqual(200);
    expect(() => stackOf(contextOf(most + 1))).toThrow(
      `clientSecrets has ${most + 1} client secrets, of which CloudFormation takes ${most} where sharedFunction is ${sharedFunction}: the others need`,
    );
  },
);

test('each client secret that a deployment left behind is taken up with its own key', () => {
  const keyOf = (digit: number) => key.replace(/1+(?=-2222)/, `${digit}`.repeat(8));
  const left = (name: string, digit: number) => ({
    rotatedSecretArn: arnOf(`${name}-client`),
    loginSecretArn: arnOf(`${name}-login`),
    bridgeSecretArn: arnOf(`${name}-bridge`),
    secretsKeyArn: keyOf(digit),
  });
  const clientSecrets = { Live: left('live', 3), Test: left('test', 4), New: {} };
  const template = Template.fromStack(stackOf({ clientSecrets, secretsKeyArn: keyOf(5) }));
  const policies = JSON.stringify(template.findResources('AWS::IAM::Policy'));
  for (const digit of [3, 4, 5]) expect(policies).toContain(`"Resource":"${keyOf(digit)}"`);
  template.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: keyOf(5) });
});

test.each([
  ['Dashboard', { Dashboard: {} }],
  ['AFunction', { A: {}, AFunction: {} }],
])('a name that the stack has for %s is refused, with the key and the remedy', (taken, clientSecrets) => {
  expect(() => stackOf({ clientSecrets, sharedFunction: false })).toThrow(
    `clientSecrets has a name that makes a second ${taken} in the stack: take another name`,
  );
});

describe('a VPC that exists', () => {
  const here = { account: '111122223333', region: 'eu-central-1' };
  const looked = (type: 'Private' | 'Isolated') => ({
    'vpc-provider:account=111122223333:filter.vpc-id=vpc-0a1b2c3d:region=eu-central-1:returnAsymmetricSubnets=true': {
      vpcId: 'vpc-0a1b2c3d',
      vpcCidrBlock: '10.0.0.0/16',
      availabilityZones: [],
      subnetGroups: [
        {
          name: type,
          type,
          subnets: [
            {
              subnetId: 'subnet-0a1b2c3d',
              cidr: '10.0.0.0/18',
              availabilityZone: 'eu-central-1a',
              routeTableId: 'rtb-0a1b2c3d',
            },
          ],
        },
      ],
    },
  });

  test('is used where it has a way out', () => {
    Template.fromStack(stackOf({ ...here, vpc: 'vpc-0a1b2c3d' }, looked('Private'))).hasResourceProperties(
      'AWS::Lambda::Function',
      { VpcConfig: { SubnetIds: ['subnet-0a1b2c3d'] } },
    );
  });

  test('is refused, with its key and the remedy, where it has none', () => {
    expect(() => stackOf({ ...here, vpc: 'vpc-0a1b2c3d' }, looked('Isolated'))).toThrow(
      /vpc is vpc-0a1b2c3d, which has no private subnet with a way out .*: add a NAT gateway and run npx cdk context --clear/,
    );
  });

  test('is named, with the remedy, where it could not be looked up', () => {
    const stack = stackOf({ ...here, vpc: 'vpc-0a1b2c3d' });
    expect(stack.node.metadata.map(({ data }) => data)).toContainEqual(
      expect.stringMatching(
        /^vpc is vpc-0a1b2c3d, which could not be looked up in account 111122223333, eu-central-1: /,
      ),
    );
  });
});
