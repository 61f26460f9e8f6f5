import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';

/** A call that the handler made. */
export interface RecordedCall {
  /** As IAM names it. */
  action: string;
  resource: string;
  /** By lower-case condition key. */
  context: Record<string, string[]>;
}

export interface Recording {
  calls: RecordedCall[];
  secrets: TestEnvironment['secrets'];
  topicArn: string;
  /** What each line of metrics told, in order. */
  metrics: Record<string, unknown>[];
}

const hoursMs = 3_600_000;

/**
 * What the handler asks of AWS in a rotation that succeeds, in preflights with and without repairs, and in failures.
 *
 * @see Service authorization reference, "Actions, resources, and condition keys for AWS Secrets Manager"
 */
export async function recordCalls(): Promise<Recording> {
  const calls: RecordedCall[] = [];
  let recording = false;
  let emptyLogin: string | undefined;
  const record = (action: string, resource: string, context: Record<string, string[] | undefined> = {}) => {
    const known = Object.entries(context).filter((entry): entry is [string, string[]] => entry[1] !== undefined);
    if (recording) calls.push({ action, resource, context: Object.fromEntries(known) });
  };
  const one = (value: unknown) => (typeof value === 'string' ? [value] : undefined);
  const s3 = createServer((request, response) => {
    record(
      `s3:${request.method === 'PUT' ? 'PutObject' : request.method}`,
      `arn:aws:s3:::${request.url?.slice(1).split('?')[0]}`,
    );
    request.resume().on('end', () => response.end());
  });
  s3.listen(0, '127.0.0.1');
  await once(s3, 'listening');
  try {
    const environment = await startTestEnvironment({
      environment: {
        EVIDENCE_BUCKET: 'evidence',
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(s3.address() as AddressInfo).port}`,
      },
      secretsManager: {
        async intercept(operation, input) {
          const { SecretId, Name, VersionStage, VersionId, Tags } = input as Record<string, unknown>;
          if (operation === 'GetParameter')
            record('ssm:GetParameter', `arn:aws:ssm:us-east-1:000000000000:parameter${Name}`);
          else {
            record(`secretsmanager:${operation}`, String(SecretId), {
              'secretsmanager:versionstage': one(VersionStage),
              'secretsmanager:versionid': one(VersionId),
              'aws:tagkeys': (Tags as { Key: string }[] | undefined)?.map(({ Key }) => Key),
            });
          }
          if (!recording || !emptyLogin || operation !== 'GetSecretValue' || SecretId !== emptyLogin) return undefined;
          return { status: 400, type: 'ResourceNotFoundException', message: 'no value' };
        },
      },
      messaging: {
        async intercept(action, input) {
          record(`sns:${action}`, String((input as { TopicArn?: string }).TopicArn));
          return undefined;
        },
      },
    });
    const { fn, secrets, topicArn, provider } = environment;
    const recorded = async <T>(work: Promise<T>): Promise<T> => {
      recording = true;
      return work.finally(() => {
        recording = false;
      });
    };
    const preflight = () => recorded(fn.invoke({ Step: 'preflight', SecretId: secrets.rotated }));

    const token = await environment.begin();
    for (const step of ['createSecret', 'setSecret', 'testSecret', 'finishSecret']) {
      const failure = await recorded(environment.step(step, token));
      if (failure) throw new Error(failure);
    }
    await environment.drop('AWSPENDING');
    await preflight();

    // The first day: nobody has stored the login yet.
    emptyLogin = secrets.login;
    await preflight();
    emptyLogin = undefined;

    // Drift, for which preflight starts a rotation; Secrets Manager's clock makes it one that has been stuck for long.
    provider.provider.rotateByHand();
    environment.setClockOffset(-13 * hoursMs);
    await preflight();
    environment.setClockOffset(0);
    await preflight();

    // A login that the portal refuses: evidence, a tag, and a rotation that fails.
    await environment.put(secrets.login, { ...provider.login, password: 'not the password' });
    await preflight();
    await recorded(environment.step('createSecret', await environment.begin()));
    const lines = environment.printed.filter((line) => line.startsWith('{"_aws"'));
    const metrics = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return { calls, secrets, topicArn, metrics };
  } finally {
    s3.close();
    s3.closeAllConnections();
  }
}
