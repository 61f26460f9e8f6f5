import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { versionWith } from '../lambda/rotation/labels.ts';
import type { SecretDescription } from '../lambda/rotation/ports.ts';
import { OpsError } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** The options that every command takes. */
export interface CommonOptions {
  secret?: string;
  function?: string;
  topic?: string;
  profile?: string;
  region?: string;
  json?: boolean;
  yes?: boolean;
}

/** A secret as DescribeSecret knows it; no value. */
export interface Described extends SecretDescription {
  /** Undefined where rotation was never configured. */
  functionArn: string | undefined;
  intervalDays: number | undefined;
  lastRotatedAt: Date | undefined;
  nextRotationAt: Date | undefined;
}

/** The version of a rotation that is not finished: AWSPENDING on another one than AWSCURRENT's. */
export function unfinished(secret: SecretDescription): string | undefined {
  const pending = versionWith(secret, 'AWSPENDING');
  return pending !== versionWith(secret, 'AWSCURRENT') ? pending : undefined;
}

/** What a command works with: the operator's own credentials, the options, and where it speaks. */
export interface Session {
  options: CommonOptions;
  secretsManager: SecretsManagerClient;
  lambda: LambdaClient;
  logs: CloudWatchLogsClient;
  sns: SNSClient;
  sqs: SQSClient;
  terminal: Terminal;
  /** A result: the text for a person, or with --json the fact as one line of JSON. */
  say(fact: Record<string, unknown>, text: string): void;
  /** Says what is about to happen and has the word typed, unless --yes was given. @throws {OpsError} unconfirmed */
  confirm(warning: string, word: string): Promise<void>;
  /** The secret of --secret. @throws {OpsError} usage, where none was given */
  secretId(): string;
  /** Default: the secret of --secret. */
  describe(secretId?: string): Promise<Described>;
  /** The version with the label or id; undefined where there is none or it has no value. */
  read(
    secretId: string,
    which: { label: string } | { versionId: string },
  ): Promise<{ versionId: string; value: string } | undefined>;
  /** When the labelled versions were created. */
  createdAt(): Promise<ReadonlyMap<string, Date>>;
  /** --function, else the function that rotates the secret. */
  functionName(): Promise<string>;
  /** --topic, else the one that the function publishes to. */
  topicArn(): Promise<string>;
}

/** @throws {OpsError} usage, where options contradict each other */
export function openSession(options: CommonOptions, terminal: Terminal): Session {
  if (options.profile) {
    // A profile that is named wins, as with the AWS CLI; the SDK would warn of it and means to change that.
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) delete process.env[name];
  }
  const config = { ...(options.profile && { profile: options.profile }), ...regionOf(options) };
  const secretsManager = new SecretsManagerClient(config);
  // A preflight takes minutes, and one that is answered late must not be asked for twice.
  const lambda = new LambdaClient({ ...config, maxAttempts: 1 });
  const session: Session = {
    options,
    secretsManager,
    lambda,
    logs: new CloudWatchLogsClient(config),
    sns: new SNSClient(config),
    sqs: new SQSClient(config),
    terminal,

    say: (fact, text) => void process.stdout.write(`${options.json ? JSON.stringify(fact) : text}\n`),

    async confirm(warning, word) {
      if (options.yes) return;
      process.stderr.write(`${warning}\n`);
      if ((await terminal.ask(`Type ${word} to go on: `))?.trim() === word) return;
      throw new OpsError('unconfirmed', 'not confirmed: nothing was done', `type ${word} when asked, or give --yes`);
    },

    secretId() {
      if (options.secret) return options.secret;
      throw new OpsError('usage', 'no secret was given', 'give --secret, with the ARN or name of the rotated secret');
    },

    async describe(secretId = session.secretId()) {
      const answer = await secretsManager.send(new DescribeSecretCommand({ SecretId: secretId }));
      return {
        arn: answer.ARN ?? secretId,
        name: answer.Name ?? secretId,
        deletedAt: answer.DeletedDate,
        primaryRegion: answer.PrimaryRegion,
        rotationEnabled: answer.RotationEnabled ?? false,
        functionArn: answer.RotationLambdaARN,
        intervalDays: answer.RotationRules?.AutomaticallyAfterDays,
        lastRotatedAt: answer.LastRotatedDate,
        nextRotationAt: answer.NextRotationDate,
        tags: new Map((answer.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
        labels: new Map(Object.entries(answer.VersionIdsToStages ?? {})),
      };
    },

    async read(secretId, which) {
      const version = 'label' in which ? { VersionStage: which.label } : { VersionId: which.versionId };
      try {
        const answer = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId, ...version }));
        const { SecretString: value, VersionId: versionId } = answer;
        return value === undefined || versionId === undefined ? undefined : { versionId, value };
      } catch (error) {
        if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
        // The same error means no such secret, no such version, and a version without a value.
        await session.describe(secretId);
        return undefined;
      }
    },

    async createdAt() {
      const dates = new Map<string, Date>();
      let next: string | undefined;
      do {
        const page = await secretsManager.send(
          new ListSecretVersionIdsCommand({ SecretId: session.secretId(), ...(next && { NextToken: next }) }),
        );
        for (const { VersionId, CreatedDate } of page.Versions ?? []) {
          if (VersionId && CreatedDate) dates.set(VersionId, CreatedDate);
        }
        next = page.NextToken;
      } while (next);
      return dates;
    },

    async functionName() {
      if (options.function) return options.function;
      const { functionArn, name } = await session.describe();
      if (functionArn) return functionArn;
      throw new OpsError(
        'usage',
        `no rotation function is set on secret ${name}`,
        'deploy the stack, or give --function',
      );
    },

    async topicArn() {
      if (options.topic) return options.topic;
      const name = await session.functionName();
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      const topicArn = Environment?.Variables?.ROTATION_TOPIC_ARN;
      if (topicArn) return topicArn;
      throw new OpsError('usage', `function ${name} names no topic in ROTATION_TOPIC_ARN`, 'give --topic');
    },
  };
  return session;
}

/** --region, else that of the ARN in --secret or --topic; else the SDK's own search for one. */
function regionOf({ region, secret, topic }: CommonOptions): { region?: string } {
  for (const arn of [secret, topic]) {
    const found = arn?.startsWith('arn:') ? arn.split(':')[3] : undefined;
    if (!found) continue;
    if (region && region !== found) {
      throw new OpsError(
        'usage',
        `${arn} is in ${found}, and --region says ${region}`,
        'leave --region out, or correct it',
      );
    }
    return { region: found };
  }
  return region ? { region } : {};
}
