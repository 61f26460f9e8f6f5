import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { ClientSecretRotation } from './client-secret-rotation.ts';
import { type Config, ConfigError, readConfig } from './config.ts';

/** One stack with one rotated client secret; its outputs are what an operator needs next. */
function clientSecretStack(app: App, config: Config): void {
  const stack = new Stack(app, 'ClientSecretRotation', {
    description: 'Rotates an OAuth client secret whose provider has only a web page',
  });
  const { portalProfileParameter: parameterName, evidenceBucketName } = config;
  const { rotatedSecret, loginSecret, bridgeSecret, topic, rotationFunction } = new ClientSecretRotation(
    stack,
    'Rotation',
    {
      rotationIntervalDays: config.rotationIntervalDays,
      preflightRepairs: config.preflightRepairs,
      // By a reference that is never rendered: only the function reads the parameter, and when it runs.
      portalProfileParameter: parameterName
        ? ssm.StringParameter.fromStringParameterAttributes(stack, 'PortalProfile', {
            parameterName,
            forceDynamicReference: true,
          })
        : undefined,
      evidenceBucket: evidenceBucketName ? s3.Bucket.fromBucketName(stack, 'Evidence', evidenceBucketName) : undefined,
    },
  );
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
    ['FunctionArn', rotationFunction.functionArn, 'The rotation function'],
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
      `aws lambda invoke --function-name ${rotationFunction.functionName} --cli-binary-format raw-in-base64-out --cli-read-timeout 0 --payload '${preflight}' preflight.json`,
      'Looks, without a press, whether a rotation would succeed: rotate only when preflight.json says ok',
    ],
    ['Step4Rotate', `aws secretsmanager rotate-secret --secret-id ${rotatedSecret.secretArn}`, 'The first rotation'],
  ];
  for (const [id, value, description] of outputs) new CfnOutput(stack, id, { value, description });
}

try {
  const app = new App({ context: featureFlags });
  clientSecretStack(app, readConfig(app.node.getAllContext()));
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
