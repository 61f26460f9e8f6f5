// A Lambda function that calls the provider's API.
import { clientCredentialsTokens, secretsManagerCredentials, withAccessToken } from 'oauth2-rotation-consumer';

const { SECRET_ID = '', API_URL = '' } = process.env;

// Outside the handler: an execution environment keeps its token from one invocation to the next, and nothing runs in between.
const source = clientCredentialsTokens({
  credentials: secretsManagerCredentials({ secretId: SECRET_ID }),
  // Below the function's timeout, so that the function can still say what is wrong.
  rotationWait: 20_000,
});
const call = withAccessToken(source);

export async function handler(): Promise<{ statements: number }> {
  const answer = await call(API_URL);
  if (!answer.ok) throw new Error(`the API answered ${answer.status}`);
  const { statements } = (await answer.json()) as { statements: unknown[] };
  return { statements: statements.length };
}
