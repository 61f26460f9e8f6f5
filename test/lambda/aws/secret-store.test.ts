import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished } from 'vitest';
import { secretStore } from '../../../lambda/aws/secret-store.ts';
import { startSecretsManager } from '../../../local/secrets-manager.ts';

async function start() {
  const service = await startSecretsManager();
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = new SecretsManager({ endpoint: service.url, region: 'us-east-1', credentials });
  onTestFinished(async () => {
    client.destroy();
    await service.close();
  });
  return { client, store: secretStore(client, new AbortController().signal) };
}

it('a value that was given as bytes is read as text, and is not taken for one that is missing', async () => {
  const { client, store } = await start();
  await client.createSecret({ Name: 'text', SecretString: '{"key":"ü"}' });
  await client.createSecret({ Name: 'bytes', SecretBinary: Buffer.from('{"key":"ü"}') });
  await client.createSecret({ Name: 'empty' });
  const read = async (name: string) => (await store.read(name, { label: 'AWSCURRENT' }))?.value;
  expect(await read('text')).toBe('{"key":"ü"}');
  expect(await read('bytes')).toBe('{"key":"ü"}');
  expect(await read('empty')).toBeUndefined();
});
