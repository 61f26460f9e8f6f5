import { afterEach, describe, expect, it } from 'vitest';
import { Provider, type ProviderFact, propagationLimitMs } from '../../local/provider.ts';
import { type RunningProvider, type StartProviderOptions, startProvider } from '../../local/start-provider.ts';

function providerWithClock(options: Omit<ConstructorParameters<typeof Provider>[0] & object, 'now'> = {}) {
  const clock = { nowMs: Date.UTC(2025, 0, 1) };
  const provider = new Provider({ ...options, now: () => clock.nowMs });
  const accepts = (secret: string) => provider.mintToken(provider.client.clientId, secret) !== undefined;
  return { provider, clock, accepts };
}

describe('a rotation', () => {
  it.each([
    { outcome: 'both work', oldDiesAfterMs: 30_000, newLivesAfterMs: 0, old: true, fresh: true },
    { outcome: 'only the old works', oldDiesAfterMs: 30_000, newLivesAfterMs: 30_000, old: true, fresh: false },
    { outcome: 'only the new works', oldDiesAfterMs: 0, newLivesAfterMs: 0, old: false, fresh: true },
    { outcome: 'neither works', oldDiesAfterMs: 0, newLivesAfterMs: 30_000, old: false, fresh: false },
  ])('propagates so that $outcome, and from the end of it only the new, for good', ({ old, fresh, ...propagation }) => {
    const { provider, clock, accepts } = providerWithClock();
    const oldSecret = provider.issuedSecret();
    provider.rotate(propagation);
    const newSecret = provider.issuedSecret();
    for (const afterMs of [0, 29_999]) {
      clock.nowMs = Date.UTC(2025, 0, 1) + afterMs;
      expect([accepts(oldSecret), accepts(newSecret)]).toEqual([old, fresh]);
    }
    for (const afterMs of [30_000, 365 * 86_400_000]) {
      clock.nowMs = Date.UTC(2025, 0, 1) + afterMs;
      expect([accepts(oldSecret), accepts(newSecret)]).toEqual([false, true]);
    }
  });

  it('within the propagation of another leaves only the last secret in the end', () => {
    const { provider, clock, accepts } = providerWithClock({
      propagation: { oldDiesAfterMs: 20_000, newLivesAfterMs: 5_000 },
    });
    const secrets = [provider.issuedSecret()];
    for (const _ of [1, 2]) {
      provider.rotate();
      secrets.push(provider.issuedSecret());
      clock.nowMs += 10_000;
    }
    expect(secrets.map(accepts)).toEqual([false, true, true]);
    clock.nowMs += 10_000;
    expect(secrets.map(accepts)).toEqual([false, false, true]);
  });

  it('with a propagation that the provider does not document is refused and changes nothing', () => {
    const { provider } = providerWithClock();
    const secret = provider.issuedSecret();
    for (const oldDiesAfterMs of [-1, propagationLimitMs + 1, Number.NaN]) {
      expect(() => provider.rotate({ oldDiesAfterMs, newLivesAfterMs: 0 })).toThrow(RangeError);
    }
    expect([provider.issuedSecret(), provider.counters.presses]).toEqual([secret, 0]);
  });

  it('makes a url-safe secret of 64 characters, another each time', () => {
    const { provider } = providerWithClock();
    const secrets = [1, 2, 3].map(() => {
      provider.rotate();
      return provider.issuedSecret();
    });
    expect(new Set(secrets).size).toBe(3);
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{64}$/);
    expect(provider.client.clientId).toMatch(/^\w{32}$/);
  });

  it('by hand has the same effect and is not counted as a press', () => {
    const { provider, accepts } = providerWithClock();
    const oldSecret = provider.issuedSecret();
    provider.rotateByHand();
    expect([accepts(oldSecret), accepts(provider.shownSecret())]).toEqual([false, true]);
    expect([provider.counters.presses, provider.counters.rotateRequests]).toEqual([0, 0]);
  });

  it('is shown in the portal only after the lag of its field', () => {
    const { provider, clock } = providerWithClock({ fieldLagMs: 3_000 });
    const oldSecret = provider.issuedSecret();
    expect(provider.shownSecret()).toBe(oldSecret);
    provider.rotate();
    clock.nowMs += 2_999;
    expect(provider.shownSecret()).toBe(oldSecret);
    clock.nowMs += 1;
    expect(provider.shownSecret()).toBe(provider.issuedSecret());
  });

  it('leaves access tokens valid until they expire by themselves', () => {
    const { provider, clock } = providerWithClock();
    const token = provider.mintToken(provider.client.clientId, provider.issuedSecret())?.access_token ?? '';
    provider.rotate();
    clock.nowMs += 86_399_000;
    expect(provider.acceptsToken(token)).toBe(true);
    clock.nowMs += 1_000;
    expect(provider.acceptsToken(token)).toBe(false);
    expect(provider.counters.apiCalls).toEqual({ accepted: 1, rejected: 1 });
  });
});

it('an access token is a JWT that cannot be altered', () => {
  const { provider } = providerWithClock();
  const answer = provider.mintToken(provider.client.clientId, provider.issuedSecret());
  const [header, claims, signature] = answer?.access_token.split('.') ?? [];
  const parsed = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString());
  expect(parsed).toMatchObject({ sub: provider.client.clientId, scope: answer?.scope });
  expect(parsed.exp - parsed.iat).toBe(answer?.expires_in);
  const later = Buffer.from(JSON.stringify({ ...parsed, exp: parsed.exp + 1 })).toString('base64url');
  expect(provider.acceptsToken(`${header}.${later}.${signature}`)).toBe(false);
  for (const nonsense of ['', 'a', 'a.b.c', `${header}.${claims}`]) expect(provider.acceptsToken(nonsense)).toBe(false);
});

it('facts tell what happened, when and with which secret, and none of them holds a value', () => {
  const { provider, clock, accepts } = providerWithClock();
  const facts: ProviderFact[] = [];
  const stop = provider.onFact((fact) => facts.push(fact));
  const first = provider.issuedSecret();
  provider.signIn(provider.login.username, 'canary-password');
  provider.signIn(provider.login.username, provider.login.password);
  provider.rotateRequested();
  provider.rotate();
  accepts(first);
  accepts('canary-secret');
  accepts(provider.issuedSecret());
  provider.otherClick('delete-client');
  stop();
  provider.rotateByHand();
  const at = clock.nowMs;
  expect(facts).toEqual([
    { fact: 'login-refused', at },
    { fact: 'login', at },
    { fact: 'rotate-requested', at },
    { fact: 'press', secretNumber: 2, at },
    { fact: 'token-rejected', secretNumber: 1, at },
    { fact: 'token-rejected', secretNumber: undefined, at },
    { fact: 'token-minted', secretNumber: 2, at },
    { fact: 'other-click', button: 'delete-client', at },
  ]);
  expect(provider.counters).toMatchObject({
    presses: 1,
    rotateRequests: 1,
    otherClicks: { 'delete-client': 1 },
    logins: { attempts: 2, succeeded: 1 },
    tokens: { minted: 1, rejected: 2 },
  });
});

describe('the token endpoint', () => {
  let running: RunningProvider;
  afterEach(() => running.close());

  async function start(options?: StartProviderOptions) {
    running = await startProvider(options);
    const { provider, client } = running;
    return { grant_type: 'client_credentials', client_id: client.clientId, client_secret: provider.issuedSecret() };
  }

  async function post(body: unknown, contentType = 'application/json') {
    const response = await fetch(running.tokenEndpoint, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: JSON.parse((await response.text()) || 'null') };
  }

  it('answers right credentials with a bearer token of one day, not to be stored', async () => {
    const { status, headers, body } = await post(await start(), 'application/json; charset=utf-8');
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'Bearer',
      expires_in: 86_400,
      scope: running.client.scopes.join(' '),
    });
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  });

  it('answers 401 invalid_client for a wrong secret or another client, or as Auth0 does if told so', async () => {
    const request = await start();
    const wrong = { ...request, client_secret: 'x'.repeat(64) };
    expect(await post(wrong)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await post({ ...request, client_id: 'x'.repeat(32) })).toMatchObject({ status: 401 });
    running.tokenEndpointSettings.wrongSecretError = 'access_denied';
    expect(await post(wrong)).toMatchObject({ status: 401, body: { error: 'access_denied' } });
    expect(running.provider.counters.tokens).toEqual({ minted: 0, rejected: 3 });
  });

  it('answers 400 for what is no request of the documented form, and does not count it', async () => {
    const request = await start();
    const { client_secret: _, ...incomplete } = request;
    const form = new URLSearchParams(request).toString();
    const invalid = { status: 400, body: { error: 'invalid_request' } };
    for (const body of [incomplete, { ...request, client_secret: 1 }, 'not JSON', '', 'null', '[]']) {
      expect(await post(body)).toMatchObject(invalid);
    }
    expect(await post(form, 'application/x-www-form-urlencoded')).toMatchObject(invalid);
    expect(await post({ ...request, grant_type: 'password' })).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    });
    expect(running.provider.counters.tokens).toEqual({ minted: 0, rejected: 0 });
  });

  it('takes as long as it is told, and in an outage answers 503 without a look at the credentials', async () => {
    const request = await start({ tokenEndpoint: { responseDelayMs: 60 } });
    const startedAt = performance.now();
    expect((await post(request)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(55);
    running.tokenEndpointSettings.outage = true;
    const response = await fetch(running.tokenEndpoint, { method: 'POST', body: JSON.stringify(request) });
    expect([response.status, running.provider.counters.tokens]).toEqual([503, { minted: 1, rejected: 0 }]);
  });

  it('has an API beside it that wants a live token', async () => {
    const { body } = await post(await start());
    const call = (authorization?: string) =>
      fetch(running.apiUrl, { headers: authorization ? { authorization } : undefined } as RequestInit);
    const accepted = await call(`Bearer ${body.access_token}`);
    expect([accepted.status, (await accepted.json()).statements.length]).toEqual([200, 4]);
    const [without, wrong] = await Promise.all([call(), call('Bearer nonsense')]);
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="TradeAware"']);
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="TradeAware", error="invalid_token"',
    ]);
  });
});
