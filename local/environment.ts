import { randomBytes, randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceNotFoundException,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { CreateTopicCommand, DeleteTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LambdaFunction, lambdaFunction } from './lambda-function.ts';
import { type MessagingOptions, startMessaging } from './messaging.ts';
import {
  type LocalSecretsManager,
  type RotationOutcome,
  type SecretsManagerOptions,
  startSecretsManager,
} from './secrets-manager.ts';
import { type RunningProvider, type StartProviderOptions, startProvider } from './start-provider.ts';
import { executionEnvironment, temporaryDirectory } from './temporary-directory.ts';

export interface EnvironmentOptions {
  provider?: StartProviderOptions;
  /** `invoke` stands in for the function: a rotation begins, and its steps are left to the caller. */
  secretsManager?: SecretsManagerOptions;
  messaging?: MessagingOptions;
  /** The function's portal profile. Default: the simulated provider's times. */
  portalProfile?: Record<string, unknown>;
  /** Added to the function's environment. */
  environment?: Record<string, string>;
  /** The function's. Default: Lambda's most. */
  timeoutMs?: number;
  /** Secrets Manager, SNS and SQS at this URL in place of the embedded ones. */
  endpoint?: string | undefined;
  /** Each line that the function prints. */
  onLine?: (line: string) => void;
}

export interface Environment {
  provider: RunningProvider;
  /** Of another endpoint's Secrets Manager it knows nothing. */
  service: LocalSecretsManager;
  endpoint: string | undefined;
  secretsManager: SecretsManagerClient;
  sns: SNSClient;
  sqs: SQSClient;
  urls: { secretsManager: string; messaging: string };
  secrets: { rotated: string; login: string; bridge: string };
  topicArn: string;
  /** A subscriber of the topic that takes messages raw. */
  queueUrl: string;
  fn: LambdaFunction;
  /** Starts a rotation and waits for its end. */
  rotate(token?: string): Promise<RotationOutcome>;
  close(): Promise<void>;
}

/** As the provider's, a tenth and less of the documented 30 s, so that a rotation can be watched. */
export const localTimes = { propagationMs: 2_000, lateEffectMs: 2_000, secondLookMarginMs: 1_000 };

const profileParameter = '/rotate-client-secret/portal-profile';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:rotate-client-secret';

/**
 * A provider, the AWS services, the three secrets, the topic with a subscriber, and the function, all on this machine; only the
 * function's handler and the SDK are the real ones.
 */
export async function startEnvironment(options: EnvironmentOptions = {}): Promise<Environment> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer().catch(() => undefined);
  };
  try {
    return await start(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: EnvironmentOptions,
  closers: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Environment> {
  const region = process.env.AWS_REGION ?? 'us-east-1';
  const credentials = {
    accessKeyId: (options.endpoint && process.env.AWS_ACCESS_KEY_ID) || 'local',
    secretAccessKey: (options.endpoint && process.env.AWS_SECRET_ACCESS_KEY) || 'local',
  };
  const directory = await temporaryDirectory();
  closers.push(directory.remove);
  const provider = await startProvider(options.provider);
  closers.push(provider.close);

  let fn: LambdaFunction | undefined;
  // With another endpoint only SSM's parameter is read from here.
  const service = await startSecretsManager({
    region,
    ...options.secretsManager,
    invoke:
      options.secretsManager?.invoke ??
      ((event, signal) => fn?.invoke(event, signal) ?? Promise.reject(new Error('there is no function yet'))),
  });
  closers.push(service.close);
  const messaging = options.endpoint ? undefined : await startMessaging(options.messaging);
  if (messaging) closers.push(messaging.close);
  const urls = {
    secretsManager: options.endpoint ?? service.url,
    messaging: options.endpoint ?? messaging?.url ?? '',
  };
  const secretsManager = new SecretsManagerClient({ endpoint: urls.secretsManager, region, credentials });
  const sns = new SNSClient({ endpoint: urls.messaging, region, credentials });
  const sqs = new SQSClient({ endpoint: urls.messaging, region, credentials });

  const suffix = randomBytes(3).toString('hex');
  const create = async (name: string, value?: Record<string, unknown>) => {
    const input = { Name: `tradeaware/${name}-${suffix}`, ...(value && { SecretString: JSON.stringify(value) }) };
    const { ARN: arn = '' } = await secretsManager.send(new CreateSecretCommand(input));
    closers.push(async () => {
      await secretsManager.send(new DeleteSecretCommand({ SecretId: arn, ForceDeleteWithoutRecovery: true }));
    });
    return arn;
  };
  const login = await create('login', { ...provider.login });
  const bridge = await create('bridge');
  const rotated = await create('client', {
    client_id: provider.client.clientId,
    client_secret: provider.provider.issuedSecret(),
    token_endpoint: provider.tokenEndpoint,
    developer_tools_url: provider.developerToolsUrl,
    login_secret_arn: login,
    bridge_secret_arn: bridge,
  });

  const { TopicArn: topicArn = '' } = await sns.send(
    new CreateTopicCommand({ Name: `client-secret-rotation-${suffix}` }),
  );
  closers.push(async () => void (await sns.send(new DeleteTopicCommand({ TopicArn: topicArn }))));
  const { QueueUrl: queueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `subscriber-${suffix}` }));
  closers.push(async () => void (await sqs.send(new DeleteQueueCommand({ QueueUrl: queueUrl }))));
  const attributes = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'sqs',
      Endpoint: attributes.Attributes?.QueueArn,
      Attributes: { RawMessageDelivery: 'true' },
    }),
  );

  const profile = JSON.stringify(options.portalProfile ?? { times: localTimes });
  service.parameters.set(profileParameter, profile);
  fn = lambdaFunction({
    ...(options.timeoutMs && { timeoutMs: options.timeoutMs }),
    ...(options.onLine && { onLine: options.onLine }),
    environment: {
      TMPDIR: directory.path,
      HOME: directory.path,
      PATH: process.env.PATH ?? '',
      AWS_EXECUTION_ENV: executionEnvironment,
      AWS_LAMBDA_FUNCTION_NAME: 'rotate-client-secret',
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL: urls.secretsManager,
      AWS_ENDPOINT_URL_SSM: service.url,
      AWS_ENDPOINT_URL_SNS: urls.messaging,
      AWS_ENDPOINT_URL_S3: urls.messaging,
      ROTATION_TOPIC_ARN: topicArn,
      PORTAL_PROFILE_PARAMETER: profileParameter,
      ...options.environment,
    },
  });
  closers.push(fn.close);

  const environment = {
    provider,
    service,
    endpoint: options.endpoint,
    secretsManager,
    sns,
    sqs,
    urls,
    secrets: { rotated, login, bridge },
    topicArn,
    queueUrl,
    fn,
    close,
  };
  return { ...environment, rotate: (token = randomUUID()) => rotate(environment, token) };
}

type Started = Omit<Environment, 'rotate'>;

async function rotate(
  { secretsManager, secrets, service, endpoint, fn }: Started,
  token: string,
): Promise<RotationOutcome> {
  const input = {
    SecretId: secrets.rotated,
    ClientRequestToken: token,
    RotationLambdaARN: functionArn,
    RotationRules: { AutomaticallyAfterDays: 30 },
  };
  if (!endpoint) {
    await secretsManager.send(new RotateSecretCommand(input));
    return service.rotationSettled(secrets.rotated);
  }
  // Another endpoint cannot reach a function on this machine: it is asked to begin a rotation, and the steps are run from here.
  const refusal = await secretsManager.send(new RotateSecretCommand(input)).then(
    () => undefined,
    (error: Error) => error,
  );
  const { VersionIdsToStages: stages = {}, RotationEnabled: enabled } = await secretsManager.send(
    new DescribeSecretCommand({ SecretId: secrets.rotated }),
  );
  const begun =
    stages[token]?.includes('AWSPENDING') && enabled && (await isEmpty(secretsManager, secrets.rotated, token));
  if (!begun) {
    throw new Error(
      `the endpoint did not begin a rotation as Secrets Manager does: an empty version with AWSPENDING${refusal ? ` (${refusal.message})` : ''}`,
    );
  }
  for (const Step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
    await fn.invoke({ Step, SecretId: secrets.rotated, ClientRequestToken: token });
  }
  return 'succeeded';
}

async function isEmpty(secretsManager: SecretsManagerClient, secretId: string, versionId: string): Promise<boolean> {
  try {
    await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId, VersionId: versionId }));
    return false;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return true;
    throw error;
  }
}
