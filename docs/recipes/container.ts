// A container that has the client secret in its environment, and lives on its token while it is replaced.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CredentialSource, clientCredentialsTokens, withAccessToken } from 'oauth2-rotation-consumer';

const { CLIENT_ID = '', CLIENT_SECRET = '', TOKEN_ENDPOINT = '', API_URL = '', PORT = '8080' } = process.env;

const credentials: CredentialSource = {
  async getCredentials() {
    return {
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      tokenEndpoint: TOKEN_ENDPOINT,
      versionId: 'environment',
    };
  },
  // A new client secret comes with a new container.
  invalidate() {},
};
// The token of the start lasts until the redeployment: renewals by a client secret that has died fail, and nobody notices.
const source = clientCredentialsTokens({ credentials, rotationWait: 30_000 });
const call = withAccessToken(source);

const server = createServer(async (request, response) => {
  if (request.url === '/health') return response.end('ok');
  try {
    const answer = await call(API_URL);
    return response.writeHead(answer.status).end(await answer.text());
  } catch (error) {
    console.error(error);
    return response.writeHead(503).end();
  }
});

// Healthy means that there is a token. Where there is none, the container ends with an error, and ECS starts another.
await source.getToken();
server.listen(Number(PORT), () => console.log(`listening on ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => server.close());
