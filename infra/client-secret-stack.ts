import { Annotations, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { ClientSecretRotation } from './client-secret-rotation.ts';
import { type Config, ConfigError } from './config.ts';
import { RotationDashboard } from './dashboard.ts';
import { RotationFunction } from './rotation-function.ts';

/** Properties of a ClientSecretStack. */
export interface ClientSecretStackProps {
  /** What the operator decided. */
  readonly config: Config;

  /** The function's code. */
  readonly code: lambda.Code;
}

/** Everything that the context asks for, in one stack; its outputs are what an operator needs next. */
export class ClientSecretStack extends Stack {
  private readonly config: Config;

  constructor(scope: Construct, id: string, { config, code }: ClientSecretStackProps) {
    const { account, region } = config;
    super(scope, id, {
      description: 'Rotates OAuth client secrets whose provider has only a web page',
      ...(account && region && { env: { account, region } }),
    });
    this.config = config;
    try {
      this.build(code);
    } catch (error) {
      const [, taken] = /already a Construct with name '(\w+)'/.exec(String(error)) ?? [];
      if (!taken) throw error;
      throw new ConfigError([`clientSecrets has a name that makes a second ${taken} in the stack: take another name`]);
    }
  }

  private build(code: lambda.Code) {
    const { config } = this;
    const keyOfAll = this.key('SecretsKey', config.secretsKeyArn);
    const functionProps = { ...this.functionProps(), code };
    const shared = config.sharedFunction ? new RotationFunction(this, 'Function', functionProps) : undefined;
    const names = Object.keys(config.clientSecrets);
    const rotations = Object.entries(config.clientSecrets).map(([name, given]) => {
      const secretsKey = this.key(`${name}SecretsKey`, given.secretsKeyArn) ?? keyOfAll;
      const rotation = new ClientSecretRotation(this, name, {
        rotationFunction: shared ?? new RotationFunction(this, `${name}Function`, functionProps),
        rotationIntervalDays: config.rotationIntervalDays,
        secretsKey,
        rotatedSecret: this.secret(`${name}RotatedSecret`, given.rotatedSecretArn, secretsKey),
        loginSecret: this.secret(`${name}LoginSecret`, given.loginSecretArn, secretsKey),
        bridgeSecret: this.secret(`${name}BridgeSecret`, given.bridgeSecretArn, secretsKey),
      });
      for (const consumer of given.consumers) rotation.grantConsume(new iam.ArnPrincipal(consumer));
      for (const subscriber of config.subscriberAccounts) {
        rotation.grantSubscribe(new iam.AccountPrincipal(subscriber));
      }
      this.tellNextSteps(rotation, names.length > 1 ? name : '');
      return rotation;
    });
    if (config.vpc === 'new') this.logFlows(functionProps.vpc, rotations[0]?.rotationFunction.operationsKey);
    new RotationDashboard(this, 'Dashboard', { rotations });
  }

  private functionProps() {
    const { config } = this;
    const { portalProfileParameter: parameterName, evidenceBucketName, preflightRepairs, tracing } = config;
    if (evidenceBucketName) {
      Validations.of(this).acknowledge({
        id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${evidenceBucketName}/portal/*]`,
        reason: 'The name of each piece of evidence is new; the function may write below one prefix of one bucket.',
      });
    }
    return {
      preflightRepairs,
      tracing,
      operationsKey: this.key('OperationsKey', config.operationsKeyArn),
      topic: this.topic('Topic', config.topicArn, config.topicKeyArn),
      alarmTopic: this.topic('AlarmTopic', config.alarmTopicArn),
      vpc: this.vpc(),
      // By a reference that is never rendered: only the function reads the parameter, and when it runs.
      portalProfileParameter: parameterName
        ? ssm.StringParameter.fromStringParameterAttributes(this, 'PortalProfile', {
            parameterName,
            forceDynamicReference: true,
          })
        : undefined,
      evidenceBucket: evidenceBucketName ? s3.Bucket.fromBucketName(this, 'Evidence', evidenceBucketName) : undefined,
    };
  }

  private key(id: string, keyArn: string | undefined): kms.IKey | undefined {
    return keyArn ? kms.Key.fromKeyArn(this, id, keyArn) : undefined;
  }

  private topic(id: string, topicArn: string | undefined, keyArn?: string): sns.ITopic | undefined {
    return topicArn ? sns.Topic.fromTopicAttributes(this, id, { topicArn, keyArn }) : undefined;
  }

  private secret(id: string, secretCompleteArn: string | undefined, encryptionKey: kms.IKey | undefined) {
    if (!secretCompleteArn) return undefined;
    return secretsmanager.Secret.fromSecretAttributes(this, id, { secretCompleteArn, encryptionKey });
  }

  /** @throws {ConfigError} where the function could not get out */
  private vpc(): ec2.IVpc | undefined {
    const { vpc, account, region } = this.config;
    if (vpc === undefined) return undefined;
    if (vpc === 'new') {
      return new ec2.Vpc(this, 'Vpc', {
        maxAzs: 2,
        natGateways: 1,
        // Nothing is in that group. The CDK would empty it by a function that is in no VPC, which some accounts forbid.
        restrictDefaultSecurityGroup: false,
      });
    }
    const found = ec2.Vpc.fromLookup(this, 'Vpc', { vpcId: vpc });
    if (found.vpcId !== vpc) {
      // What stands in until it has been looked up: the CDK shows this only where that fails, among its complaints of the stand-in.
      Annotations.of(this).addWarningV2(
        'rotate-client-secret:vpc-not-found',
        `vpc is ${vpc}, which could not be looked up in account ${account}, ${region}: correct vpc, account and region, or use credentials of that account`,
      );
    }
    if (found.privateSubnets.length > 0) return found;
    throw new ConfigError([
      `vpc is ${vpc}, which has no private subnet with a way out to the portal and to AWS: add a NAT gateway and run npx cdk context --clear, take another, or leave vpc out`,
    ]);
  }

  private logFlows(vpc: ec2.IVpc | undefined, encryptionKey: kms.IKey | undefined) {
    const retention = logs.RetentionDays.THREE_MONTHS;
    const logGroup = new logs.LogGroup(this, 'FlowLogs', { retention, encryptionKey });
    vpc?.addFlowLog('All', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup) });
  }

  /** What an operator does after the deployment, with the ARNs filled in. */
  private tellNextSteps(
    { rotatedSecret, loginSecret, bridgeSecret, rotationFunction }: ClientSecretRotation,
    prefix: string,
  ) {
    const { topic, alarmTopic, function: fn } = rotationFunction;
    const put = 'aws secretsmanager put-secret-value --secret-id';
    const preflight = `{"Step":"preflight","SecretId":"${rotatedSecret.secretArn}"}`;
    const rotatedSecretJson = JSON.stringify({
      client_id: '',
      client_secret: '',
      developer_tools_url: '',
      login_secret_arn: loginSecret.secretArn,
      bridge_secret_arn: bridgeSecret.secretArn,
    });
    const outputs: [id: string, value: string, description: string][] = [
      ['RotatedSecretArn', rotatedSecret.secretArn, 'The client secret that is rotated: consumers read this one'],
      ['LoginSecretArn', loginSecret.secretArn, 'The login to the portal: only the function reads it'],
      ['BridgeSecretArn', bridgeSecret.secretArn, 'The bridge token: consumers read it, only the function writes it'],
      ['TopicArn', topic.topicArn, 'What consumers and operators subscribe to'],
      ['AlarmTopicArn', alarmTopic.topicArn, 'What calls a person: subscribe somebody'],
      ['FunctionArn', fn.functionArn, 'The rotation function'],
      [
        'Step1Login',
        `${put} ${loginSecret.secretArn} --secret-string file://login.json`,
        'login.json, readable by you alone, deleted afterwards: {"username":"","password":"","totp_secret":""}, without totp_secret where there is none',
      ],
      [
        'Step2ClientSecret',
        `${put} ${rotatedSecret.secretArn} --secret-string file://client.json`,
        'client.json, likewise, is the JSON in Step2Json, filled in',
      ],
      [
        'Step2Json',
        rotatedSecretJson,
        'client_secret may be left out: the first rotation then stores what the portal shows, without a press',
      ],
      [
        'Step3Preflight',
        `aws lambda invoke --function-name ${fn.functionName} --cli-binary-format raw-in-base64-out --cli-read-timeout 0 --payload '${preflight}' preflight.json`,
        'Looks, without a press, whether a rotation would succeed: rotate only when preflight.json says ok',
      ],
      ['Step4Rotate', `aws secretsmanager rotate-secret --secret-id ${rotatedSecret.secretArn}`, 'The first rotation'],
    ];
    for (const [id, value, description] of outputs) new CfnOutput(this, `${prefix}${id}`, { value, description });
  }
}
