import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { withAccessToken } from '../../consumer/with-access-token.ts';
import { startWorld } from './world.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An API that accepts these tokens, and what it was sent. */
async function startApi(
  accepted: string[],
  answer = (response: ServerResponse, _request: IncomingMessage) => response.end('ok'),
) {
  const seen: {
    authorization: string | undefined;
    body: string;
    contentType: string | undefined;
    method: string | undefined;
  }[] = [];
  const server = createServer(async (request, response) => {
    const { authorization, 'content-type': contentType } = request.headers;
    seen.push({ authorization, body: await text(request), contentType, method: request.method });
    if (accepted.includes(authorization?.replace(/^Bearer /, '') ?? '')) answer(response, request);
    else response.writeHead(401).end('refused');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}

it('sends the token, and what else was given', async () => {
  const { url, seen } = await startApi(['canary-token-1']);
  const { source } = startWorld();
  const call = withAccessToken(source);
  expect(
    await (
      await call(url, { headers: { 'content-type': 'text/x', authorization: 'mine' }, method: 'PUT', body: 'b' })
    ).text(),
  ).toBe('ok');
  await call(new Request(url, { headers: { 'content-type': 'text/y' }, method: 'POST', body: 'c' }));
  await call(new URL(url));
  const authorization = 'Bearer canary-token-1';
  expect(seen).toEqual([
    { authorization, body: 'b', contentType: 'text/x', method: 'PUT' },
    { authorization, body: 'c', contentType: 'text/y', method: 'POST' },
    { authorization, body: '', contentType: undefined, method: 'GET' },
  ]);
});

const form = new FormData();
form.set('name', 'value');
it.each<[string, (url: string) => Parameters<typeof fetch>]>([
  ['no body', (url) => [url]],
  ['a Request without a body', (url) => [new Request(url)]],
  ['a string', (url) => [url, { method: 'POST', body: 'name' }]],
  ['a Request whose body is given anew', (url) => [new Request(url, { method: 'POST' }), { body: 'name' }]],
  ['URLSearchParams', (url) => [url, { method: 'POST', body: new URLSearchParams({ name: 'v' }) }]],
  ['a form', (url) => [url, { method: 'POST', body: form }]],
  ['a Blob', (url) => [url, { method: 'POST', body: new Blob(['name']) }]],
  ['an ArrayBuffer', (url) => [url, { method: 'POST', body: new TextEncoder().encode('name').buffer }]],
  ['bytes', (url) => [url, { method: 'POST', body: new TextEncoder().encode('name') }]],
])('a call with %s that is refused is made once more with another token', async (_what, request) => {
  const { url, seen } = await startApi(['canary-token-2']);
  const { world, source } = startWorld();
  const response = await withAccessToken(source)(...request(url));
  expect(response.status).toBe(200);
  expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer canary-token-1', 'Bearer canary-token-2']);
  const [first, second] = seen.map(({ body }) => body.replaceAll(/-{4,}[\w-]+/g, ''));
  expect(second).toBe(first);
  expect(world.counts.mints).toBe(2);
});

const stream = () => new Blob(['once']).stream();
it.each<[string, (url: string) => Parameters<typeof fetch>]>([
  ['a stream', (url) => [url, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit]],
  [
    'a Request with a stream',
    (url) => [new Request(url, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit)],
  ],
  ['a Request with a body', (url) => [new Request(url, { method: 'POST', body: 'once' })]],
  [
    'an iterable',
    (url) => [url, { method: 'POST', body: stream().values(), duplex: 'half' } as unknown as RequestInit],
  ],
])('a body that can be read only once is never sent twice: %s', async (_what, request) => {
  const { url, seen } = await startApi(['canary-token-2']);
  const { source } = startWorld();
  const call = withAccessToken(source);
  const response = await call(...request(url));
  expect([response.status, await response.text()]).toEqual([401, 'refused']);
  expect(seen.map(({ body }) => body)).toEqual(['once']);
  // The next call has another token.
  expect((await call(...request(url))).status).toBe(200);
});

it('a Request of another implementation of fetch has its headers sent, and its body once', async () => {
  const { source } = startWorld();
  const sent: [RequestInfo | URL, Headers][] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    sent.push([input, new Headers(init?.headers)]);
    return new Response('refused', { status: 401 });
  };
  // As undici's or node-fetch's: no instance of the platform's.
  const { url, method, headers, body, signal } = new Request('https://api.example/', {
    ...{ method: 'POST', headers: { 'content-type': 'text/x' }, body: 'once' },
  });
  const foreign = { url, method, headers, body, signal } as Request;
  expect((await withAccessToken(source, fetch)(foreign)).status).toBe(401);
  expect(sent.map(([input]) => input)).toEqual([foreign]);
  expect(Object.fromEntries(sent[0]?.[1] ?? [])).toEqual({
    authorization: 'Bearer canary-token-1',
    'content-type': 'text/x',
  });
});

it('a call that is refused twice is not made a third time, and its answer can be read', async () => {
  const { url, seen } = await startApi([]);
  const { source } = startWorld();
  expect(await (await withAccessToken(source)(url)).text()).toBe('refused');
  expect(seen).toHaveLength(2);
});

it('a refused call answers so where there is no other token', async () => {
  const { url, seen } = await startApi([]);
  const { world, source } = startWorld({ rotationWait: 0 });
  await source.getToken();
  world.verdict = () => 'outage';
  expect(await (await withAccessToken(source)(url)).text()).toBe('refused');
  expect(seen).toHaveLength(1);
});

it('the token does not go along with a redirect to another origin', async () => {
  const elsewhere = await startApi([]);
  const here = await startApi(['canary-token-1'], (response, { url }) =>
    url === '/'
      ? response.writeHead(307, { location: '/same' }).end()
      : response.writeHead(307, { location: elsewhere.url }).end(),
  );
  const { world, source } = startWorld();
  const response = await withAccessToken(source)(here.url, { method: 'POST', body: 'b' });
  expect(response.status).toBe(401);
  expect(here.seen.map(({ authorization }) => authorization)).toEqual(Array(2).fill('Bearer canary-token-1'));
  expect(elsewhere.seen).toMatchObject([{ authorization: undefined, body: 'b' }]);
  // Its refusal says nothing of a token that it has not seen.
  expect(world.counts.mints).toBe(1);
});

it('an abort ends the call while it waits for a token', async () => {
  const { world, source } = startWorld();
  world.verdict = () => 'wait';
  const aborting = new AbortController();
  const call = withAccessToken(source)(new Request('http://127.0.0.1:9/', { signal: aborting.signal }));
  aborting.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
});

it('an abort ends the call while it waits for another token', async () => {
  const { url } = await startApi([]);
  const { world, source } = startWorld();
  await source.getToken();
  world.verdict = () => 'wait';
  const aborting = new AbortController();
  const { invalidate } = source;
  const refused = Promise.withResolvers<void>();
  const watched = {
    getToken: source.getToken.bind(source),
    invalidate(token: string) {
      invalidate.call(source, token);
      refused.resolve();
    },
  };
  const call = withAccessToken(watched)(url, { signal: aborting.signal });
  await refused.promise;
  setImmediate(() => aborting.abort(new Error('enough')));
  await expect(call).rejects.toThrow('enough');
});
