import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { findCanaries } from '../../local/canaries.ts';
import { startTestEnvironment } from '../harness.ts';

it('a refusal leaves evidence in the bucket, names it in the message, and shows no secret in it', async () => {
  const environment = await startTestEnvironment({ environment: { EVIDENCE_BUCKET: 'evidence' } });
  const { provider, urls } = environment;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const s3 = new S3Client({ endpoint: urls.messaging, region: 'us-east-1', credentials, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'evidence' }));
  await environment.put(environment.secrets.rotated, {
    ...(await environment.value({ label: 'AWSCURRENT' })),
    client_id: 'f'.repeat(32),
  });
  const token = await environment.begin();

  const message = await environment.step('createSecret', token);

  const pointer = /evidence: s3:\/\/evidence\/([^)\s]+)/.exec(message ?? '')?.[1];
  expect(pointer, message).toBeDefined();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'evidence' }));
  const keys = Contents.map(({ Key = '' }) => Key);
  expect(keys.some((key) => key.startsWith(pointer ?? ''))).toBe(true);
  expect(keys.length).toBeGreaterThan(1);
  const secrets = new Map([
    ['client secret', provider.provider.issuedSecret()],
    ['password', provider.login.password],
  ]);
  for (const Key of keys) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'evidence', Key }));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(bytes.length, Key).toBeGreaterThan(0);
    expect(findCanaries(bytes.toString('latin1'), secrets), Key).toEqual([]);
  }
});

it('a bucket that does not exist hides no refusal', async () => {
  const environment = await startTestEnvironment({ environment: { EVIDENCE_BUCKET: 'nowhere' } });
  await environment.put(environment.secrets.rotated, {
    ...(await environment.value({ label: 'AWSCURRENT' })),
    client_id: 'f'.repeat(32),
  });
  expect(await environment.step('createSecret', await environment.begin())).toMatch(
    /^\[configuration\] .*; pressed: no; next: /,
  );
});
