import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { EvidenceStore } from '../portal/evidence.ts';

const timeoutMs = 5_000;

/** Where the portal driver leaves what it saw on a failure. */
export function evidenceBucket(client: S3Client, bucket: string): EvidenceStore {
  return {
    async write(name, body, contentType) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: name, Body: body, ContentType: contentType }), {
        abortSignal: AbortSignal.timeout(timeoutMs),
      });
      return `s3://${bucket}/${name}`;
    },
  };
}
