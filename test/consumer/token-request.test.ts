import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { requestToken } from '../../consumer/token-request.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

const ask = (tokenEndpoint: string, timeoutMs = 10_000) =>
  requestToken({ tokenEndpoint, clientId: 'the-client', clientSecret: 'canary-secret', timeoutMs });

const answering = (status: number, body: unknown, headers = {}) =>
  serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

it('sends the documented JSON body and gives the token', async () => {
  let seen: { request: IncomingMessage; body: string } | undefined;
  const url = await serve(async (request, response) => {
    seen = { request, body: await text(request) };
    response.end(
      JSON.stringify({ access_token: 'a.b.c', token_type: 'Bearer', expires_in: 86400, scope: 'create:x read:y' }),
    );
  });
  expect(await ask(url)).toEqual({
    verdict: 'accepted',
    accessToken: 'a.b.c',
    tokenType: 'Bearer',
    expiresInSeconds: 86400,
    scope: 'create:x read:y',
  });
  expect(seen?.request.method).toBe('POST');
  expect(seen?.request.headers['content-type']).toBe('application/json');
  expect(JSON.parse(seen?.body ?? '')).toEqual({
    grant_type: 'client_credentials',
    client_id: 'the-client',
    client_secret: 'canary-secret',
  });
});

it.each([
  [401, { error: 'invalid_client' }, 'rejected'],
  [401, { error: 'access_denied' }, 'rejected'],
  [401, 'Unauthorized', 'rejected'],
  [401, { error: 'canary-secret' }, 'rejected'],
  [400, { error: 'invalid_client' }, 'rejected'],
  [400, { error: 'unauthorized_client' }, 'rejected'],
  [400, { error: 'invalid_request' }, 'unreachable'],
  [400, { error: 'invalid_scope' }, 'unreachable'],
  [400, 'Bad Request', 'unreachable'],
  [403, { error: 'invalid_client' }, 'unreachable'],
  [404, {}, 'unreachable'],
  [429, { error: 'access_denied' }, 'unreachable'],
  [500, { error: 'invalid_client' }, 'unreachable'],
  [503, '<html>', 'unreachable'],
  [200, {}, 'unreachable'],
  [200, { access_token: '' }, 'unreachable'],
  [200, { access_token: 5 }, 'unreachable'],
  [200, { access_token: 'canary\ntoken' }, 'unreachable'],
  [200, { access_token: 'canary token' }, 'unreachable'],
  [200, { access_token: 'canary\u2026token' }, 'unreachable'],
  [200, '<html>canary-secret</html>', 'unreachable'],
  [200, '[]', 'unreachable'],
  [302, '', 'unreachable'],
])('an answer of %i %j means %s', async (status, body, verdict) => {
  const answer = await ask(await answering(status, body, status === 302 ? { location: 'http://127.0.0.1:9/' } : {}));
  expect(answer.verdict).toBe(verdict);
  expect(JSON.stringify(answer)).not.toContain('canary');
});

it.each([['soon'], [0], [-5], [undefined], [null]])(
  'an expires_in of %j is not taken for a number of seconds',
  async (expires_in) => {
    const answer = await ask(await answering(200, { access_token: 'a', expires_in }));
    expect(answer).toMatchObject({ verdict: 'accepted', expiresInSeconds: undefined });
  },
);

it.each([['bearer'], ['DPoP'], ['urn:ietf:params:oauth:token-type:x']])('a token_type of %j is told', async (type) => {
  const answer = await ask(await answering(200, { access_token: 'a', token_type: type }));
  expect(answer).toMatchObject({ tokenType: type });
});

it.each([[undefined], [null], [5], [''], ['Bear\ner'], ['two words']])('a token_type of %j is Bearer', async (type) => {
  const answer = await ask(await answering(200, { access_token: 'a', token_type: type }));
  expect(answer).toMatchObject({ tokenType: 'Bearer' });
});

it('an answer without an end is cut off', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (response.write('x'.repeat(16_384)));
      response.once('drain', more);
    };
    more();
  });
  expect(await ask(url)).toMatchObject({ verdict: 'unreachable' });
});

it('no answer is waited for no longer than the deadline', async () => {
  const url = await serve(() => undefined);
  expect(await ask(url, 50)).toEqual({ verdict: 'unreachable', reason: 'no answer within 50 ms' });
});

it('nor is a fetch of somebody else’s making that does not heed its signal', async () => {
  const client = { tokenEndpoint: 'https://tokens.example/', clientId: 'c', clientSecret: 's', timeoutMs: 50 };
  const reason = 'no answer within 50 ms';
  const never = () => new Promise<never>(() => undefined);
  const endless = async () => new Response(new ReadableStream());
  for (const fetch of [never, endless]) {
    // What waits for such a fetch holds the process; its deadline does not.
    const held = setInterval(() => undefined, 1_000);
    expect(await requestToken({ ...client, fetch })).toEqual({ verdict: 'unreachable', reason });
    clearInterval(held);
  }
});

it('nobody listening is unreachable, and the reason is told', async () => {
  const url = await answering(200, {});
  server?.close();
  await once(server as Server, 'close');
  expect(await ask(url)).toEqual({ verdict: 'unreachable', reason: 'no answer: ECONNREFUSED' });
});

it('the caller’s abort ends the wait', async () => {
  const url = await serve(() => undefined);
  const answer = await requestToken({
    tokenEndpoint: url,
    clientId: 'c',
    clientSecret: 's',
    timeoutMs: 10_000,
    signal: AbortSignal.abort(),
  });
  expect(answer).toMatchObject({ verdict: 'unreachable' });
});

it.each([
  [
    'client_secret_post',
    undefined,
    'scope=read%3Ax&grant_type=client_credentials&client_id=a%3Ab&client_secret=s+%C3%A9%3A%25',
  ],
  ['client_secret_basic', `Basic ${btoa('a%3Ab:s+%C3%A9%3A%25')}`, 'scope=read%3Ax&grant_type=client_credentials'],
] as const)(
  'other providers are asked by %s, with parameters of theirs',
  async (authentication, authorization, body) => {
    let seen: { headers: IncomingMessage['headers']; body: string } | undefined;
    const tokenEndpoint = await serve(async (request, response) => {
      seen = { headers: request.headers, body: await text(request) };
      response.end('{"access_token":"a","expires_in":"60"}');
    });
    const client = { tokenEndpoint, clientId: 'a:b', clientSecret: 's é:%', authentication, timeoutMs: 10_000 };
    const answer = await requestToken({ ...client, parameters: { scope: 'read:x', grant_type: 'mine' } });
    expect(answer).toMatchObject({ verdict: 'accepted', expiresInSeconds: 60 });
    expect(seen?.headers.authorization).toBe(authorization);
    expect(seen?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(seen?.body).toBe(body);
  },
);
