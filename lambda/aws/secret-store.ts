import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { SecretStore } from '../rotation/ports.ts';
import { fromAwsError } from './aws-error.ts';

/** For one call with the SDK's retries in it: a service that goes silent must not use up the invocation. */
const callTimeoutMs = 8_000;

/**
 * @param signal ends every call with the invocation
 * @see Secrets Manager API reference
 */
export function secretStore(client: SecretsManagerClient, signal: AbortSignal): SecretStore {
  const bounded = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]) });
  return {
    async describe(secretId) {
      const answer = await asking(secretId, 'DescribeSecret', () =>
        client.send(new DescribeSecretCommand({ SecretId: secretId }), bounded()),
      );
      return {
        arn: answer.ARN ?? secretId,
        name: answer.Name ?? secretId,
        rotationEnabled: answer.RotationEnabled ?? false,
        deletedAt: answer.DeletedDate,
        primaryRegion: answer.PrimaryRegion,
        labels: new Map(Object.entries(answer.VersionIdsToStages ?? {})),
        tags: new Map((answer.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
      };
    },

    async read(secretId, which) {
      const version = 'label' in which ? { VersionStage: which.label } : { VersionId: which.versionId };
      return asking(secretId, 'GetSecretValue', async () => {
        try {
          const answer = await client.send(new GetSecretValueCommand({ SecretId: secretId, ...version }), bounded());
          const { SecretString, SecretBinary, VersionId: versionId, CreatedDate: createdAt } = answer;
          // Bytes are a value too: a version that has them can be given no other, and is not ours to press for or to overwrite.
          const value = SecretString ?? (SecretBinary && new TextDecoder().decode(SecretBinary));
          if (value === undefined) return undefined;
          // A slot's age decides on a press.
          if (!versionId || !createdAt) throw new Error('the answer has no VersionId or no CreatedDate');
          return { versionId, value, createdAt };
        } catch (error) {
          if (!(error instanceof Error && error.name === 'ResourceNotFoundException')) throw error;
          // The same error means no such secret, no such version, and a version without a value.
          await client.send(new DescribeSecretCommand({ SecretId: secretId }), bounded());
          return undefined;
        }
      });
    },

    async put(secretId, { versionId, value, labels, rotationToken }) {
      return asking(secretId, 'PutSecretValue', async () => {
        try {
          await client.send(
            new PutSecretValueCommand({
              SecretId: secretId,
              ClientRequestToken: versionId,
              SecretString: value,
              VersionStages: [...labels],
              ...(rotationToken && { RotationToken: rotationToken }),
            }),
            bounded(),
          );
          return 'stored';
        } catch (error) {
          if (error instanceof Error && error.name === 'ResourceExistsException') return 'conflict';
          throw error;
        }
      });
    },

    async moveLabel(secretId, label, { from, to }) {
      await asking(secretId, 'UpdateSecretVersionStage', () =>
        client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: secretId,
            VersionStage: label,
            ...(from && { RemoveFromVersionId: from }),
            ...(to && { MoveToVersionId: to }),
          }),
          bounded(),
        ),
      );
    },

    async createdAt(secretId, versionId) {
      return asking(secretId, 'ListSecretVersionIds', async () => {
        let next: string | undefined;
        do {
          const page = await client.send(
            new ListSecretVersionIdsCommand({
              SecretId: secretId,
              IncludeDeprecated: true,
              ...(next && { NextToken: next }),
            }),
            bounded(),
          );
          const version = page.Versions?.find(({ VersionId }) => VersionId === versionId);
          if (version) return version.CreatedDate;
          next = page.NextToken;
        } while (next);
        return undefined;
      });
    },

    async rotate(secretId, versionId) {
      return asking(secretId, 'RotateSecret', async () => {
        try {
          await client.send(new RotateSecretCommand({ SecretId: secretId, ClientRequestToken: versionId }), bounded());
          return 'started';
        } catch (error) {
          // The service says so and takes the unfinished rotation up again, which is what was wanted. @see aws/aws-cdk#28539
          if (!(error instanceof Error && /previous rotation/i.test(error.message))) throw error;
          return 'resumed';
        }
      });
    },

    async tag(secretId, key, value) {
      await asking(secretId, 'TagResource', () =>
        client.send(new TagResourceCommand({ SecretId: secretId, Tags: [{ Key: key, Value: value }] }), bounded()),
      );
    },
  };
}

async function asking<T>(secretId: string, operation: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw fromAwsError(error, `secret ${secretId}: ${operation}`, 'secret-store');
  }
}
