/** The library beside the simulated provider and Secrets Manager, over HTTP and through the SDK, at each point of a changeover. */
import { createHash, randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, expect, it } from 'vitest';
import {
  type ClientCredentialsTokensOptions,
  clientCredentialsTokens,
  type SourceEvent,
  secretsManagerCredentials,
  withAccessToken,
} from '../../consumer/index.ts';
import type { Propagation } from '../../local/provider.ts';
import { type SecretsManagerOptions, startSecretsManager } from '../../local/secrets-manager.ts';
import { startProvider } from '../../local/start-provider.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start({ propagation, ...service }: SecretsManagerOptions & { propagation?: Propagation } = {}) {
  const running = await startProvider(propagation && { propagation });
  const secretsManager = await startSecretsManager(service);
  closers.push(running.close, secretsManager.close);
  const access = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new SecretsManagerClient({ endpoint: secretsManager.url, region: 'us-east-1', credentials: access });
  const create = async (Name: string, value?: object) => {
    const SecretString = value && JSON.stringify(value);
    return (await client.send(new CreateSecretCommand({ Name, ...(SecretString && { SecretString }) }))).ARN ?? '';
  };
  const bridge = await create('bridge');
  const { provider, tokenEndpoint, apiUrl } = running;
  const value = () => ({
    client_id: provider.client.clientId,
    client_secret: provider.issuedSecret(),
    token_endpoint: tokenEndpoint,
    bridge_secret_arn: bridge,
  });
  const rotated = await create('client', value());
  const put = (SecretId: string, json: object, VersionStages: string[]) => {
    const ClientRequestToken = randomUUID();
    const SecretString = JSON.stringify(json);
    return client.send(new PutSecretValueCommand({ SecretId, SecretString, ClientRequestToken, VersionStages }));
  };
  return {
    ...{ ...running, secretsManager, client },
    /** A process that has just started. */
    consumer(options: Partial<ClientCredentialsTokensOptions> = {}) {
      const events: SourceEvent[] = [];
      const credentials = secretsManagerCredentials({ secretId: 'client', client });
      const source = clientCredentialsTokens({ credentials, onEvent: (event) => events.push(event), ...options });
      const call = withAccessToken(source);
      return { source, events, call: async () => (await call(apiUrl)).status };
    },
    /** What createSecret does before a press, as lambda/rotation/1c-slot.ts writes it. */
    async arm() {
      const token = provider.mintToken(provider.client.clientId, provider.issuedSecret());
      await put(
        bridge,
        {
          client_id: provider.client.clientId,
          access_token: token?.access_token,
          token_type: token?.token_type,
          expires_at: new Date(Date.now() + 86_400_000).toISOString(),
          armed_at: new Date().toISOString(),
          armed_for: randomUUID(),
          armed_from: createHash('sha256').digest('hex'),
          armed_by: randomUUID(),
          attempt: 1,
        },
        ['AWSCURRENT'],
      );
    },
    press: () => provider.rotateByHand(),
    store: async () => (await put(rotated, value(), ['AWSPENDING'])).VersionId ?? '',
    async move(to: string, from: string) {
      const move = { SecretId: rotated, VersionStage: 'AWSCURRENT', MoveToVersionId: to, RemoveFromVersionId: from };
      await client.send(new UpdateSecretVersionStageCommand(move));
    },
  };
}

it('a consumer with a token from before the press notices nothing, and one that starts meanwhile has a token at every point', async () => {
  const world = await start();
  const running = world.consumer();
  expect(await running.call()).toBe(200);
  const first = (await running.source.getToken()).credentialVersionId ?? '';

  await world.arm();
  world.press();
  // Between the press and AWSPENDING.
  const inChangeover = world.consumer();
  expect(await inChangeover.call()).toBe(200);
  expect(inChangeover.events.map(({ type }) => type)).toEqual(['bridge']);

  const pending = await world.store();
  const withPending = world.consumer();
  expect(await withPending.call()).toBe(200);
  expect(withPending.events).toMatchObject([{ type: 'mint', label: 'AWSPENDING', credentialVersionId: pending }]);

  await world.move(pending, first);
  const afterwards = world.consumer();
  expect(await afterwards.call()).toBe(200);
  expect(afterwards.events).toMatchObject([{ type: 'mint', credentialVersionId: pending }]);

  for (const consumer of [running, inChangeover, withPending]) expect(await consumer.call()).toBe(200);
  expect(running.events.map(({ type }) => type)).toEqual(['mint']);
  // Whoever held the old secret finds the new one when it mints next.
  const forced = await running.source.getToken({ forceRefresh: true });
  expect(forced.credentialVersionId).toBe(pending);
});

it('where there is no bridge token a cold start waits until the new secret can be read', async () => {
  const world = await start();
  world.press();
  const { source, events } = world.consumer({
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'retry' && events.length === 1) void world.store();
    },
  });
  expect((await source.getToken()).token).toBeTruthy();
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['retry', 'mint', 'wait']));
});

it('while the provider accepts neither the old secret nor the new one the bridge serves', async () => {
  const world = await start({ propagation: { oldDiesAfterMs: 0, newLivesAfterMs: 30_000 } });
  await world.arm();
  world.press();
  await world.store();
  const cold = world.consumer();
  expect(await cold.call()).toBe(200);
  expect(cold.events.map(({ type }) => type)).toEqual(['bridge']);
  // A cold start in a changeover costs no more: one read of each, AWSCURRENT twice.
  const reads = world.secretsManager.requests.filter(({ operation }) => operation === 'GetSecretValue');
  expect(reads).toHaveLength(4);
});

it.each<[string, Awaited<ReturnType<NonNullable<SecretsManagerOptions['intercept']>>>, string]>([
  [
    'AccessDeniedException',
    { status: 400, type: 'AccessDeniedException', message: 'is not authorized to perform' },
    'configuration',
  ],
  ['DecryptionFailure', { status: 400, type: 'DecryptionFailure', message: 'key' }, 'configuration'],
  [
    'InvalidRequestException',
    { status: 400, type: 'InvalidRequestException', message: 'marked for deletion' },
    'configuration',
  ],
  ['ResourceNotFoundException', { status: 400, type: 'ResourceNotFoundException', message: 'none' }, 'configuration'],
  [
    'ThrottlingException',
    { status: 400, type: 'ThrottlingException', message: 'slow down' },
    'credentials-unavailable',
  ],
  ['InternalServiceError', { status: 500, type: 'InternalServiceError', message: 'oops' }, 'credentials-unavailable'],
  ['a broken connection', 'drop', 'credentials-unavailable'],
])('Secrets Manager that answers with %s is told of by a typed error', async (_name, fault, code) => {
  const world = await start({ intercept: async (operation) => (operation === 'GetSecretValue' ? fault : undefined) });
  const { source } = world.consumer({ rotationWait: 0 });
  await expect(source.getToken()).rejects.toMatchObject({ name: 'ConsumerError', code });
});

it('Secrets Manager that never answers is waited for no longer than asked', async () => {
  const never = new Promise<undefined>(() => undefined);
  const world = await start({ intercept: async (operation) => (operation === 'GetSecretValue' ? never : undefined) });
  const credentials = secretsManagerCredentials({ secretId: 'client', client: world.client, timeoutMs: 100 });
  const source = clientCredentialsTokens({ credentials, rotationWait: 0 });
  await expect(source.getToken()).rejects.toThrow('no answer in 100 ms');
});

it('nor is what the SDK itself waits for, such as credentials of AWS', async () => {
  const credentials = () => new Promise<never>(() => undefined);
  const client = new SecretsManagerClient({ region: 'us-east-1', credentials });
  const source = secretsManagerCredentials({ secretId: 'client', client, timeoutMs: 50 });
  await expect(source.getCredentials()).rejects.toThrow('no answer in 50 ms');
});

it.each([
  ['canary not JSON', 'not a JSON object'],
  ['["canary"]', 'not a JSON object'],
  ['{"client_secret":"canary"}', 'client_id is missing'],
  ['{"client_id":"c","client_secret":5}', 'client_secret is missing'],
  ['{"client_id":"c","client_secret":"canary","token_endpoint":"http://tokens.example/"}', 'token_endpoint is not'],
  [
    '{"client_id":"c","client_secret":"canary","token_endpoint":"https://u:canary@tokens.example/"}',
    'token_endpoint is not',
  ],
])('a secret that holds %s is told of by name and key', async (SecretString, message) => {
  const world = await start();
  await world.client.send(new PutSecretValueCommand({ SecretId: 'client', SecretString }));
  const error: Error = await world
    .consumer()
    .source.getToken()
    .then(
      () => expect.fail(),
      (thrown) => thrown,
    );
  expect(error).toMatchObject({ code: 'configuration' });
  expect(error.message).toContain(message);
  expect(error.stack).not.toContain('canary');
});
