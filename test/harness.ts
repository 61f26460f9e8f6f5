import { randomUUID } from 'node:crypto';
import {
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect } from 'vitest';
import { type CloudEvent, cloudEventSchema } from '../lambda/events/cloudevent.ts';
import { findCanaries } from '../local/canaries.ts';
import { type Environment, type EnvironmentOptions, startEnvironment } from '../local/environment.ts';

/** Short, so that the suite is; the rules are the same. */
export const testTimes = { propagationMs: 400, lateEffectMs: 400, secondLookMarginMs: 200 };

export interface TestEnvironment extends Environment {
  /** What the function printed, and the errors that it threw. */
  printed: string[];
  /** How far Secrets Manager's clock is from ours; behind makes what is created old. */
  setClockOffset(ms: number): void;
  /** Has Secrets Manager begin a rotation, and leaves its steps to the test. @returns the ClientRequestToken */
  begin(token?: string): Promise<string>;
  /** Runs one step; the error's message where it fails. */
  step(step: string, token: string): Promise<string | undefined>;
  labels(): Promise<Record<string, string>>;
  value(
    which: { label: string } | { version: string },
    secretId?: string,
  ): Promise<Record<string, unknown> | undefined>;
  put(secretId: string, value: unknown, options?: { version?: string; labels?: string[] }): Promise<string>;
  /** Puts a label on a version, wherever it was before. */
  label(label: string, version: string): Promise<void>;
  /** Takes a label off whatever version has it. */
  drop(label: string): Promise<void>;
  tags(): Promise<Record<string, string>>;
  pause(): Promise<void>;
  /** @returns its ARN */
  createEmptySecret(name: string): Promise<string>;
  /** The events published since the last call. */
  events(): Promise<CloudEvent[]>;
  facts(): string[];
  /** Searches all that was printed and published for every secret there was, and closes. */
  end(): Promise<void>;
}

const running = new Set<TestEnvironment>();

afterEach(async () => {
  const ended = await Promise.allSettled([...running].map((environment) => environment.end()));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
});

/** The provider, the services and the function for one test, with the steps under the test's control. */
export async function startTestEnvironment({
  driven = false,
  endsWithTest = true,
  ...options
}: EnvironmentOptions & {
  /** Whether Secrets Manager runs the steps itself, once. Default: they are left to the test. */
  driven?: boolean;
  /** Tests that run side by side end their own. */
  endsWithTest?: boolean;
} = {}): Promise<TestEnvironment> {
  let offsetMs = 0;
  let rotationToken: string | undefined;
  const printed: string[] = [];
  const environment = await startEnvironment({
    portalProfile: { times: testTimes },
    timeoutMs: 300_000,
    ...options,
    onLine: (line) => printed.push(line),
    secretsManager: {
      now: () => new Date(Date.now() + offsetMs),
      ...(!driven && {
        invoke: ({ RotationToken }) => {
          rotationToken = RotationToken;
          return Promise.reject(new Error('the test runs the steps'));
        },
      }),
      retries: 0,
      ...options.secretsManager,
    },
  });
  const { secretsManager, sqs, queueUrl, secrets, fn } = environment;
  const test: TestEnvironment = {
    ...environment,
    printed,
    setClockOffset: (ms) => {
      offsetMs = ms;
    },
    async begin(token = randomUUID()) {
      const RotationLambdaARN = 'arn:aws:lambda:us-east-1:000000000000:function:rotate';
      await secretsManager.send(
        new RotateSecretCommand({ SecretId: secrets.rotated, ClientRequestToken: token, RotationLambdaARN }),
      );
      await environment.service.rotationSettled(secrets.rotated);
      return token;
    },
    async step(Step, ClientRequestToken) {
      try {
        await fn.invoke({ Step, SecretId: secrets.rotated, ClientRequestToken, RotationToken: rotationToken });
        return undefined;
      } catch (error) {
        printed.push((error as Error).stack ?? '');
        return (error as Error).message;
      }
    },
    async labels() {
      const { VersionIdsToStages = {} } = await secretsManager.send(
        new DescribeSecretCommand({ SecretId: secrets.rotated }),
      );
      return Object.fromEntries(
        Object.entries(VersionIdsToStages).flatMap(([id, labels]) => labels.map((label) => [label, id])),
      );
    },
    async value(which, secretId = secrets.rotated) {
      const version = 'label' in which ? { VersionStage: which.label } : { VersionId: which.version };
      try {
        const { SecretString = '' } = await secretsManager.send(
          new GetSecretValueCommand({ SecretId: secretId, ...version }),
        );
        return JSON.parse(SecretString) as Record<string, unknown>;
      } catch (error) {
        if ((error as Error).name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    async put(secretId, value, { version = randomUUID(), labels } = {}) {
      const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
      await secretsManager.send(
        new PutSecretValueCommand({
          SecretId: secretId,
          SecretString,
          ClientRequestToken: version,
          ...(labels && { VersionStages: labels }),
        }),
      );
      return version;
    },
    async label(label, version) {
      const from = (await test.labels())[label];
      await secretsManager.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secrets.rotated,
          VersionStage: label,
          MoveToVersionId: version,
          ...(from && { RemoveFromVersionId: from }),
        }),
      );
    },
    async drop(label) {
      const from = (await test.labels())[label];
      const input = { SecretId: secrets.rotated, VersionStage: label, RemoveFromVersionId: from };
      if (from) await secretsManager.send(new UpdateSecretVersionStageCommand(input));
    },
    async tags() {
      const { Tags = [] } = await secretsManager.send(new DescribeSecretCommand({ SecretId: secrets.rotated }));
      return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    },
    async pause() {
      await secretsManager.send(new CancelRotateSecretCommand({ SecretId: secrets.rotated }));
    },
    async createEmptySecret(name) {
      const { ARN = '' } = await secretsManager.send(new CreateSecretCommand({ Name: name }));
      return ARN;
    },
    async events() {
      const events: CloudEvent[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
        );
        if (Messages.length === 0) return events;
        for (const { Body = '', ReceiptHandle } of Messages) {
          printed.push(Body);
          events.push(cloudEventSchema.parse(JSON.parse(Body)));
          await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }));
        }
      }
    },
    facts: () => printed.flatMap((line) => /"fact":"([^"]+)"/.exec(line)?.[1] ?? []),
    async end() {
      running.delete(test);
      try {
        expectNoSecretIn(test, clientSecrets);
      } finally {
        await environment.close();
      }
    },
  };
  const clientSecrets = new Map([['client secret 1', environment.provider.provider.issuedSecret()]]);
  environment.provider.provider.onFact(({ fact }) => {
    if (fact !== 'press' && fact !== 'rotated-by-hand') return;
    clientSecrets.set(`client secret ${clientSecrets.size + 1}`, environment.provider.provider.issuedSecret());
  });
  if (endsWithTest) running.add(test);
  return test;
}

function expectNoSecretIn({ provider, printed }: TestEnvironment, clientSecrets: ReadonlyMap<string, string>): void {
  const secrets = new Map([...clientSecrets, ['password', provider.login.password]]);
  expect(findCanaries(printed.join('\n'), secrets)).toEqual([]);
  expect(printed.filter((line) => /eyJ[\w-]+\.[\w-]+/.test(line))).toEqual([]);
}
