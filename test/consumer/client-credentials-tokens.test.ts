import { setImmediate as settled } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientCredentialsTokens } from '../../consumer/client-credentials-tokens.ts';
import { ConsumerError } from '../../consumer/errors.ts';
import { secretsManagerCredentials } from '../../consumer/secrets-manager-credentials.ts';
import { secretJson, startWorld, type Verdict } from './world.ts';

const dayMs = 86_400_000;
const failureOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConsumerError);
  return error as ConsumerError;
};

describe('a token in hand', () => {
  it('is served from memory until half its life is over', async () => {
    const { world, source } = startWorld({ random: () => 0 });
    const first = await source.getToken();
    world.pass(dayMs / 2 - 1);
    expect(await source.getToken()).toBe(first);
    expect(world.counts).toMatchObject({ mints: 1, reads: 1 });
    expect(first.refreshAfter.getTime()).toBe(first.expiresAt.getTime() - dayMs / 2);
    expect(first).toMatchObject({ tokenType: 'Bearer', credentialVersionId: 'v1' });
  });

  it('is renewed in the background from then on, and nobody who has a live one waits', async () => {
    const { world, source } = startWorld();
    const first = await source.getToken();
    world.pass(0.6 * dayMs);
    world.verdict = () => 'wait';
    const served = await Promise.all(Array.from({ length: 50 }, () => source.getToken()));
    expect(new Set(served)).toEqual(new Set([first]));
    await settled();
    expect(world.counts).toMatchObject({ mints: 2, inFlight: 1 });
    world.verdict = () => 'accept';
    world.answer();
    await settled();
    expect((await source.getToken()).token).toBe('canary-token-2');
    expect(world.events.map(({ type }) => type)).toEqual(['mint', 'renew']);
  });

  it.each(['reject', 'outage', 'html'] as const)(
    'is served as long as it lives where renewals end in %s, and they are few',
    async (verdict) => {
      const { world, source } = startWorld();
      const first = await source.getToken();
      world.verdict = () => verdict;
      let calls = 0;
      for (; world.nowMs() < first.expiresAt.getTime() - 1_000; world.pass(1_000)) {
        const access = await source.getToken();
        await settled();
        if (access !== first) throw new Error('another token was served');
        calls += 1;
      }
      expect(calls).toBeGreaterThan(80_000);
      expect(world.counts.sleeps).toEqual([]);
      // Half a day of renewals at least 150 s apart; more at the very end.
      expect(world.counts.mints).toBeLessThan(43_200 / 150 + 20);
      expect(world.leaks(world.events)).toBe(false);
    },
    30_000,
  );

  it('is renewed once for many callers, and a failure is told once', async () => {
    const { world, source } = startWorld();
    await source.getToken();
    world.pass(0.7 * dayMs);
    world.verdict = () => 'outage';
    await Promise.all(Array.from({ length: 50 }, () => source.getToken()));
    await settled();
    expect(world.events.map(({ type }) => type)).toEqual(['mint', 'renew-failed']);
  });

  it('is renewed while the caller waits where little of its life is left', async () => {
    const { world, source } = startWorld();
    await source.getToken();
    world.pass(dayMs - 29_000);
    expect((await source.getToken()).token).toBe('canary-token-2');
  });

  it.each([
    ['forward', 5 * 3_600_000],
    ['back', -5 * 3_600_000],
  ])('outlives a wall clock that is set %s by hours while no token can be minted', async (_way, jumpMs) => {
    const { world, source } = startWorld();
    const first = await source.getToken();
    world.jump(jumpMs as number);
    world.verdict = () => 'reject';
    for (let minute = 0; minute < 600; minute++) {
      expect(await source.getToken()).toBe(first);
      world.pass(60_000);
    }
    expect(world.counts.sleeps).toEqual([]);
  });

  it('is replaced after the machine has slept, since it may have expired meanwhile', async () => {
    const { world, source } = startWorld();
    await source.getToken();
    world.jump(2 * dayMs);
    expect((await source.getToken()).token).toBe('canary-token-2');
    expect((await source.getToken()).token).toBe('canary-token-2');
  });

  it('is dropped when an API has refused it, and no other is', async () => {
    const { source } = startWorld();
    const first = await source.getToken();
    source.invalidate('another');
    expect(await source.getToken()).toBe(first);
    source.invalidate(first.token);
    expect((await source.getToken()).token).not.toBe(first.token);
  });

  it('costs few mints where an API refuses whatever it is sent', async () => {
    const { world, source } = startWorld();
    for (let call = 0; call < 6_000; call++) {
      source.invalidate((await source.getToken()).token);
      world.pass(10);
    }
    expect(world.counts.mints).toBeLessThanOrEqual(8);
  });

  it('is served after all where a forced refresh fails', async () => {
    const { world, source } = startWorld();
    await source.getToken();
    expect((await source.getToken({ forceRefresh: true })).token).toBe('canary-token-2');
    world.verdict = () => 'outage';
    expect((await source.getToken({ forceRefresh: true })).token).toBe('canary-token-2');
    expect(world.counts).toMatchObject({ mints: 3, sleeps: [] });
  });

  it.each([
    [undefined, 300],
    ['soon', 300],
    [0, 300],
    [-3600, 300],
    [null, 300],
    ['3600', 3600],
    [0.001, 1],
    [315_360_000, 31_536_000],
    [{}, 300],
  ])('with an expires_in of %j is taken to live %i s', async (expiresIn, seconds) => {
    const { world, source } = startWorld();
    world.expiresIn = expiresIn;
    const { expiresAt, refreshAfter } = await source.getToken();
    expect(expiresAt.getTime() - world.nowMs()).toBe(seconds * 1000);
    expect(refreshAfter.getTime() - world.nowMs()).toBeLessThanOrEqual(0.6 * dayMs);
    expect(world.counts.mints).toBe(1);
  });
});

describe('without a live token', () => {
  it('a thousand callers cost one mint and one read', async () => {
    const { world, source } = startWorld();
    const tokens = await Promise.all(Array.from({ length: 1_000 }, () => source.getToken()));
    expect(new Set(tokens).size).toBe(1);
    expect(world.counts).toMatchObject({ mints: 1, reads: 1 });
  });

  it('credentials that many ask for at once are read once', async () => {
    const { world, credentials } = startWorld();
    await Promise.all(Array.from({ length: 100 }, () => credentials.getCredentials()));
    expect(world.counts.reads).toBe(1);
  });

  it('credentials are tried in the order of trust, each version once', async () => {
    const { world, credentials, source } = startWorld();
    await credentials.getCredentials();
    world.current = { version: 'v2', json: secretJson('canary-secret-2') };
    world.pending = { version: 'v3', json: secretJson('canary-secret-3') };
    const asked: string[] = [];
    world.verdict = (secret) => {
      if (asked.at(-1) !== secret) asked.push(secret);
      return secret === 'canary-secret-3' ? 'accept' : 'reject';
    };
    expect(await source.getToken()).toMatchObject({ credentialVersionId: 'v3' });
    expect(asked).toEqual(['canary-secret-1', 'canary-secret-2', 'canary-secret-3']);
    expect(world.counts).toMatchObject({ mints: 3, reads: 3 });
    expect(world.events).toMatchObject([{ type: 'mint', label: 'AWSPENDING' }]);
  });

  it('the bridge token serves, and is replaced as soon as a mint succeeds', async () => {
    const { world, source } = startWorld();
    world.putBridge(dayMs);
    world.verdict = () => 'reject';
    expect(await source.getToken()).toMatchObject({ token: 'canary-bridge', credentialVersionId: undefined });
    // The most that a cold start in a changeover costs.
    expect(world.counts).toMatchObject({ mints: 1, reads: 4, sleeps: [] });
    expect(world.events.map(({ type }) => type)).toEqual(['bridge']);
    world.pending = { version: 'v2', json: secretJson('canary-secret-2') };
    world.verdict = (secret) => (secret === 'canary-secret-2' ? 'accept' : 'reject');
    world.pass(400_000);
    await source.getToken();
    await settled();
    expect(await source.getToken()).toMatchObject({ credentialVersionId: 'v2' });
  });

  it.each([
    ['expired', -1_000, 'client'],
    ['about to expire', 20_000, 'client'],
    ['of another client', dayMs, 'other'],
  ])('a bridge token that is %s is not taken', async (_what, ofMs, clientId) => {
    const { world, source } = startWorld({ rotationWait: 0 });
    world.putBridge(ofMs as number, clientId as string);
    if (ofMs === 20_000) (world.bridge as { json: Record<string, unknown> }).json.armed_at = '2029-12-31T00:00:00Z';
    world.verdict = () => 'reject';
    expect((await failureOf(source.getToken())).code).toBe('client-rejected');
  });

  it('a bridge token that cannot be sent is not taken', async () => {
    const { world, source } = startWorld({ rotationWait: 0 });
    world.putBridge(dayMs, 'client', 'canary\nbridge');
    world.verdict = () => 'reject';
    expect((await failureOf(source.getToken())).message).toContain('bridge token: none');
  });

  it('a bridge token that an API has refused is not taken again', async () => {
    const { world, source } = startWorld({ rotationWait: 0 });
    world.putBridge(dayMs);
    world.verdict = () => 'reject';
    source.invalidate((await source.getToken()).token);
    expect((await failureOf(source.getToken())).message).toContain('bridge token: refused by the API');
  });

  it.each([0, 0.5, 0.999_999])(
    'the wait for a changeover ends when it does, or with an error that tells what was tried (chance %d)',
    async (chance) => {
      const { world, source } = startWorld({ random: () => chance });
      world.verdict = () => 'reject';
      const error = await failureOf(source.getToken());
      const slept = world.counts.sleeps.reduce((sum, ms) => sum + ms, 0);
      expect(slept).toBeCloseTo(60_000);
      // What the README promises as the most.
      expect(world.counts.sleeps.length).toBeLessThanOrEqual(15);
      expect(world.counts.reads).toBeLessThanOrEqual(49);
      expect(world.counts.mints).toBeLessThanOrEqual(33);
      expect(Math.min(...world.counts.sleeps.slice(0, -1))).toBeGreaterThanOrEqual(500);
      expect(error.code).toBe('client-rejected');
      expect(error.message).toContain('no access token for secret the-secret after 60000 ms');
      expect(error.tried.join()).toMatch(
        /version v1: rejected with 401 invalid_client.*AWSPENDING: no value.*bridge token: none/,
      );
      world.verdict = () => 'accept';
      expect((await source.getToken()).token).toBeTruthy();
      expect(world.leaks(error, world.events, source)).toBe(false);
    },
  );

  it('who comes late has a wait as long as whoever came first', async () => {
    const { world, source } = startWorld();
    const beganMs = world.monotonicMs();
    const late: Promise<unknown>[] = [];
    world.verdict = () => {
      const ms = world.monotonicMs() - beganMs;
      if (ms > 20_000 && late.length === 0) late.push(failureOf(source.getToken()));
      if (ms > 50_000 && late.length === 1) late.push(source.getToken());
      return ms > 100_000 ? 'accept' : 'reject';
    };
    expect((await failureOf(source.getToken())).message).toContain('after 60000 ms');
    // Its next round would have been too late for it.
    const second = (await late[0]) as ConsumerError;
    expect(Number(/after (\d+) ms/.exec(second.message)?.[1])).toBeGreaterThan(50_000);
    await late[1];
    // Several callers' waits end, and the rounds are no closer for it.
    expect(world.counts.mints).toBeLessThan(33);
    expect(world.monotonicMs() - beganMs).toBeLessThan(111_000);
  });

  it('a changeover that ends during the wait costs the wait alone', async () => {
    const { world, source } = startWorld();
    world.verdict = () => (world.counts.sleeps.length < 4 ? 'reject' : 'accept');
    await source.getToken();
    expect(world.events.at(-1)).toMatchObject({ type: 'wait', succeeded: true, waitedMs: 11_250 });
  });

  it.each(['outage', 'html'] as const)(
    '%s at the token endpoint is no rejection: the pending secret is not tried, and the error says so',
    async (verdict) => {
      const { world, source } = startWorld();
      world.pending = { version: 'v2', json: secretJson('canary-secret-2') };
      world.verdict = () => verdict;
      const error = await failureOf(source.getToken());
      expect(error.code).toBe('token-endpoint-unreachable');
      expect(error.tried.join()).not.toContain('v2');
      expect(world.leaks(error)).toBe(false);
    },
  );

  it('an abort ends one caller’s wait, and the others get the token', async () => {
    const { world, source } = startWorld();
    world.verdict = () => 'wait';
    const mine = new AbortController();
    const first = source.getToken({ signal: mine.signal });
    const second = source.getToken({ signal: new AbortController().signal });
    await settled();
    mine.abort(new Error('mine'));
    await expect(first).rejects.toThrow('mine');
    world.verdict = () => 'accept';
    world.answer();
    expect((await second).token).toBe('canary-token-1');
    await expect(source.getToken({ signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  });

  it('the pause is cut short when the last caller leaves, and holds for whoever comes next', async () => {
    let cut = 0;
    const { world, source, clock } = startWorld();
    world.verdict = () => 'reject';
    clock.sleep = (_ms, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          cut += 1;
          reject(signal.reason);
        });
      });
    for (let caller = 1; caller <= 20; caller++) {
      const leaving = new AbortController();
      const wait = source.getToken({ signal: leaving.signal });
      await settled();
      leaving.abort(new Error('left'));
      await expect(wait).rejects.toThrow('left');
      await settled();
    }
    expect(cut).toBe(20);
    expect(world.counts.mints).toBe(1);
  });

  it('the pause holds for a caller who gives up and calls again in the same instant', async () => {
    const { world, source, clock } = startWorld();
    world.verdict = () => 'reject';
    clock.sleep = (_ms, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    for (let caller = 0; caller < 20; caller++) {
      const leaving = new AbortController();
      const wait = source.getToken({ signal: leaving.signal }).catch(() => undefined);
      await settled();
      leaving.abort();
      // As many microtasks as it takes: by then the pause may or may not have heard that everybody has left.
      for (let turn = 0; turn < caller; turn++) await undefined;
      if (caller % 2) await wait;
    }
    expect(world.counts.mints).toBe(1);
  });

  it('what waiting cannot mend fails at once, and is not asked for again at every call', async () => {
    const { world, source } = startWorld();
    world.current = { version: 'v1', json: '{"client_secret": canary' };
    for (let call = 0; call < 100; call++) {
      const error = await failureOf(source.getToken());
      expect(error.code).toBe('configuration');
      expect(world.leaks(error)).toBe(false);
    }
    expect(world.counts).toMatchObject({ reads: 1, sleeps: [] });
    world.pass(1_000);
    world.current = { version: 'v2', json: secretJson('canary-secret-2') };
    expect((await source.getToken()).credentialVersionId).toBe('v2');
  });

  it.each(['http://tokens.example/', 'https://u:canary@tokens.example/', ''])(
    'credentials of another source are not sent to %j',
    async (tokenEndpoint) => {
      const { world, source } = startWorld({
        credentials: {
          getCredentials: async () => ({
            clientId: 'c',
            clientSecret: 'canary-secret',
            tokenEndpoint,
            versionId: 'v1',
          }),
          invalidate: () => undefined,
        },
      });
      const error = await failureOf(source.getToken());
      expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('not an https URL') });
      expect(world.leaks(error)).toBe(false);
      expect(world.counts).toMatchObject({ mints: 0, sleeps: [] });
    },
  );

  it.each([
    [
      'throws',
      () => {
        throw new Error('logger');
      },
    ],
    // Heard by nobody, that would end the process: vitest fails for it.
    ['rejects', () => Promise.reject(new Error('logger'))],
  ])('a callback that %s costs nobody a token', async (_how, onEvent) => {
    await startWorld({ onEvent }).source.getToken();
    await settled();
  });
});

describe('an option that is wrong is told of at once', () => {
  const credentials = { getCredentials: () => expect.fail(), invalidate: () => undefined };
  it.each([
    { rotationWait: -1 },
    { rotationWait: Number.NaN },
    ...[0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5'].map((timeoutMs) => ({ timeoutMs })),
    { authentication: 'client_secret_pots' },
    { credentials: undefined },
  ])('%o', (wrong) => {
    const make = () => clientCredentialsTokens({ credentials, ...wrong } as never);
    expect(make).toThrow(expect.objectContaining({ code: 'configuration' }));
  });

  it.each([{ secretId: '' }, { timeoutMs: Number.POSITIVE_INFINITY }, { maxAgeMs: -1 }, { maxAgeMs: Number.NaN }])(
    '%o',
    (wrong) => {
      const client = { send: () => expect.fail() };
      const make = () => secretsManagerCredentials({ secretId: 'the-secret', client, ...wrong } as never);
      expect(make).toThrow(expect.objectContaining({ code: 'configuration' }));
    },
  );
});

it('no source, token or credentials shows a secret to a logger', async () => {
  const { world, credentials, source } = startWorld();
  const access = await source.getToken();
  const held = await credentials.getCredentials();
  expect([access.token, held.clientSecret]).toEqual(['canary-token-1', 'canary-secret-1']);
  expect(world.leaks(source, credentials, access, held, { ...access }, world.events)).toBe(false);
  expect(world.leaks('canary')).toBe(true);
});

it('whatever happens in whatever order, one mint is in flight at most, a live token is served at once, and errors are typed', async () => {
  const verdicts = fc.constantFrom<Verdict>('accept', 'reject', 'outage', 'html');
  const action = fc.oneof(
    fc.record({ do: fc.constant('verdict' as const), verdict: verdicts }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(fc.nat(5_000), fc.nat(dayMs), fc.constant(dayMs / 2)) }),
    fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -dayMs, max: dayMs }) }),
    fc.record({
      do: fc.constant('call' as const),
      callers: fc.integer({ min: 1, max: 4 }),
      forceRefresh: fc.boolean(),
    }),
    fc.constant({ do: 'abort' as const }),
    fc.constant({ do: 'invalidate' as const }),
    fc.constant({ do: 'rotate' as const }),
    fc.constant({ do: 'bridge' as const }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 40 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (actions, chance) => {
        const { world, source } = startWorld({ random: () => chance.next().value });
        let version = 1;
        let held: { token: string; diesAtMs: number } | undefined;
        for (const step of actions) {
          if (step.do === 'verdict') world.verdict = () => step.verdict;
          if (step.do === 'pass') world.pass(step.ms);
          if (step.do === 'jump') world.jump(step.ms);
          if (step.do === 'bridge') world.putBridge(dayMs / 2);
          if (step.do === 'rotate') {
            world.pending = { version: `v${++version}`, json: secretJson(`canary-secret-${version}`) };
            source.credentialsChanged(`v${version}`);
          }
          if (step.do === 'invalidate' && held) {
            source.invalidate(held.token);
            held = undefined;
          }
          if (step.do === 'abort') {
            const gone = new AbortController();
            const wait = source.getToken({ signal: gone.signal }).catch((error: unknown) => error);
            gone.abort(new Error('gone'));
            await wait;
            held = undefined;
          }
          if (step.do !== 'call') continue;
          const isLive = held !== undefined && world.monotonicMs() < held.diesAtMs;
          const before = { ...world.counts, sleeps: world.counts.sleeps.length, ms: world.monotonicMs() };
          const { forceRefresh } = step;
          const results = await Promise.allSettled(
            Array.from({ length: step.callers }, () => source.getToken(forceRefresh ? { forceRefresh } : undefined)),
          );
          for (const result of results) {
            if (result.status === 'fulfilled') {
              const { token } = result.value;
              held = { token, diesAtMs: world.diesAtMs.get(token) ?? 0 };
            } else {
              expect(isLive).toBe(false);
              expect(result.reason).toBeInstanceOf(ConsumerError);
              expect(world.leaks(result.reason)).toBe(false);
            }
          }
          if (isLive) expect(world.counts.sleeps.length).toBe(before.sleeps);
          expect(world.monotonicMs() - before.ms).toBeLessThanOrEqual(60_001);
          expect(world.counts.mints - before.mints).toBeLessThanOrEqual(40);
          expect(world.counts.reads - before.reads).toBeLessThanOrEqual(60);
          await settled();
        }
        expect(world.counts.mostInFlight).toBeLessThanOrEqual(1);
        expect(world.leaks(world.events, source)).toBe(false);
      },
    ),
    { numRuns: 300 },
  );
});
