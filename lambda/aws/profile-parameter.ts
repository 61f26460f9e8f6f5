import { GetParameterCommand, SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { fromAwsError } from './aws-error.ts';

const timeoutMs = 8_000;

/** The portal profile that an operator has put into SSM, as JSON. @throws {RotationError} configuration, permission */
export async function readProfileParameter(sdk: SSMClientConfig, name: string): Promise<string> {
  try {
    const client = new SSMClient(sdk);
    const { Parameter: parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }), {
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
    return parameter?.Value ?? '';
  } catch (error) {
    throw fromAwsError(error, `SSM parameter ${name}`, 'configuration');
  }
}
