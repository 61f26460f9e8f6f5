import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { EvidenceStore } from '../portal/evidence.ts';

const timeoutMs = 5_000;

/** Where the portal driver leaves what it saw on a failure. */
export function evidenceBucket(sdk: S3ClientConfig, bucket: string): EvidenceStore {
  const client = new S3Client(sdk);
  return {
    async write(name, body, contentType) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: body, ContentType: contentType }), {
        abortSignal: AbortSignal.timeout(timeoutMs),
      });
      return `s3://${bucket}/${name}`;
    },
  };
}
