// A long-running service that calls the provider's API for every request that it gets.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientCredentialsTokens, secretsManagerCredentials, withAccessToken } from 'oauth2-rotation-consumer';

const { SECRET_ID = '', API_URL = '', PORT = '8080' } = process.env;

// One source for the process: it keeps the token and renews it at half of its life, while calls go on with the old one.
const source = clientCredentialsTokens({
  credentials: secretsManagerCredentials({ secretId: SECRET_ID }),
  onEvent: (event) => console.log(JSON.stringify(event)),
});
const call = withAccessToken(source);

const server = createServer(async (_request, response) => {
  try {
    const answer = await call(API_URL);
    response.writeHead(answer.status).end(await answer.text());
  } catch (error) {
    // A ConsumerError says what was tried and holds no secret: it may be logged whole.
    console.error(error);
    response.writeHead(503).end();
  }
});

// Ready means that there is a token. In the middle of a rotation that is the bridge token, or takes some seconds.
await source.getToken();
server.listen(Number(PORT), () => console.log(`listening on ${(server.address() as AddressInfo).port}`));
process.once('SIGTERM', () => server.close());
