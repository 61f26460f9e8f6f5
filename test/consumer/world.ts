import { inspect } from 'node:util';
import {
  type ClientCredentialsTokensOptions,
  clientCredentialsTokens,
} from '../../consumer/client-credentials-tokens.ts';
import type { Clock } from '../../consumer/clock.ts';
import type { SourceEvent } from '../../consumer/index.ts';
import { secretsManagerCredentials } from '../../consumer/secrets-manager-credentials.ts';

/** What the endpoint makes of a client secret: `wait` answers only when `answer` is called. */
export type Verdict = 'accept' | 'reject' | 'outage' | 'html' | 'wait';

/** A version's JSON under its id; an error instead is what the service answers. */
export type Stored = { version: string; json: unknown } | Error | undefined;

/** Time that passes only when told to, or slept; an endpoint and a Secrets Manager that answer at once, whatever they are told to. */
export function startWorld({
  random = () => 0.5,
  ...options
}: Partial<ClientCredentialsTokensOptions> & { random?: () => number } = {}) {
  let monotonicMs = 5_000;
  let wallMs = Date.parse('2030-01-01T00:00:00Z');
  let answers: (() => void)[] = [];
  const world = {
    verdict: ((): Verdict => 'accept') as (secret: string) => Verdict,
    expiresIn: 86_400 as unknown,
    current: { version: 'v1', json: secretJson('canary-secret-1') } as Stored,
    pending: undefined as Stored,
    bridge: undefined as Stored,
    counts: { mints: 0, reads: 0, inFlight: 0, mostInFlight: 0, sleeps: [] as number[] },
    /** When each minted token dies, on the monotonic clock. */
    diesAtMs: new Map<string, number>(),
    events: [] as SourceEvent[],
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    pass(ms: number) {
      monotonicMs += ms;
      wallMs += ms;
    },
    jump(ms: number) {
      wallMs += ms;
    },
    /** Lets the requests that wait be answered. */
    answer() {
      for (const resolve of answers) resolve();
      answers = [];
    },
    putBridge(ofMs: number, clientId = 'client', token = 'canary-bridge') {
      const json = {
        client_id: clientId,
        access_token: token,
        token_type: 'Bearer',
        expires_at: new Date(wallMs + ofMs).toISOString(),
        armed_at: new Date(wallMs - 1_000).toISOString(),
      };
      world.bridge = { version: 'b1', json };
    },
    /** Nobody may find a secret in it. */
    leaks: (...values: unknown[]) =>
      values.some((value) =>
        /canary/.test(`${inspect(value, { depth: 9, showHidden: true })}${JSON.stringify(value)}${String(value)}`),
      ),
  };
  const clock: Clock = {
    nowMs: world.nowMs,
    monotonicMs: world.monotonicMs,
    random,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      world.counts.sleeps.push(ms);
      // Not while its caller is still being called: who calls in the same instant does so at the same time.
      await undefined;
      world.pass(ms);
    },
  };
  const client = {
    async send({ input }: { input: { SecretId: string; VersionStage: string } }) {
      world.counts.reads += 1;
      const stored =
        input.SecretId === 'bridge'
          ? world.bridge
          : input.VersionStage === 'AWSCURRENT'
            ? world.current
            : world.pending;
      if (stored instanceof Error) throw stored;
      if (!stored) throw Object.assign(new Error('none'), { name: 'ResourceNotFoundException', $fault: 'client' });
      const text = typeof stored.json === 'string' ? stored.json : JSON.stringify(stored.json);
      return { SecretString: text, VersionId: stored.version };
    },
  };
  const fetch = async (_url: unknown, init?: RequestInit) => {
    const { client_secret: secret } = JSON.parse(String(init?.body)) as { client_secret: string };
    const { counts } = world;
    counts.mints += 1;
    counts.inFlight += 1;
    counts.mostInFlight = Math.max(counts.mostInFlight, counts.inFlight);
    const token = `canary-token-${counts.mints}`;
    try {
      await undefined;
      if (world.verdict(secret) === 'wait') await new Promise<void>((resolve) => answers.push(resolve));
      switch (world.verdict(secret)) {
        case 'reject':
          return Response.json({ error: 'invalid_client', error_description: secret }, { status: 401 });
        case 'outage':
          throw new TypeError(`fetch failed ${secret}`);
        case 'html':
          return new Response(`<html>${secret}`);
        default:
          world.diesAtMs.set(token, monotonicMs + Number(world.expiresIn) * 1_000);
          return Response.json({ access_token: token, token_type: 'Bearer', expires_in: world.expiresIn });
      }
    } finally {
      counts.inFlight -= 1;
    }
  };
  const credentials = secretsManagerCredentials({ secretId: 'the-secret', client: client as never, clock });
  const source = clientCredentialsTokens({
    credentials,
    fetch: fetch as typeof globalThis.fetch,
    clock,
    onEvent: (event) => world.events.push(event),
    ...options,
  });
  return { ...{ world, credentials, source }, clock };
}

export function secretJson(secret: string) {
  return {
    client_id: 'client',
    client_secret: secret,
    token_endpoint: 'https://tokens.example/token',
    bridge_secret_arn: 'bridge',
  };
}
