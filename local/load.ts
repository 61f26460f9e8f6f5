/** Consumers that call the provider's API all the time: with the consumer library, and in the ways in which people do without it. */
import { setTimeout as delay } from 'node:timers/promises';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  type AccessTokenSource,
  clientCredentialsTokens,
  secretsManagerCredentials,
  withAccessToken,
} from '../consumer/index.ts';
import { requestToken } from '../consumer/token-request.ts';

/** One program that needs access tokens. */
export interface Consumer {
  /** Calls the API once. Rejects where there is no token to be had, and when aborted. */
  call(apiUrl: string, fetch: typeof globalThis.fetch, signal?: AbortSignal): Promise<Response>;
  holdsLiveToken(): boolean;
  /** The library's, to be told of events. */
  source?: AccessTokenSource;
}

/** What consumers of one kind have in common. */
export interface ConsumerParts {
  secretId: string;
  client: SecretsManagerClient;
  /** For token requests. */
  fetch: typeof globalThis.fetch;
}

/** A consumer with the library. `maxAgeMs` and `rotationWait` as there. */
export function libraryConsumer(
  { secretId, client, fetch }: ConsumerParts,
  times: { maxAgeMs?: number; rotationWait?: number } = {},
): Consumer {
  const { maxAgeMs, rotationWait } = times;
  const source = clientCredentialsTokens({
    credentials: secretsManagerCredentials({ secretId, client, ...(maxAgeMs !== undefined && { maxAgeMs }) }),
    fetch,
    ...(rotationWait !== undefined && { rotationWait }),
  });
  let expiresAtMs = 0;
  const noted: Pick<AccessTokenSource, 'getToken' | 'invalidate'> = {
    async getToken(options) {
      const access = await source.getToken(options);
      expiresAtMs = access.expiresAt.getTime();
      return access;
    },
    invalidate(token) {
      expiresAtMs = 0;
      source.invalidate(token);
    },
  };
  return {
    source,
    call: (apiUrl, fetch, signal) => withAccessToken(noted, fetch)(apiUrl, signal && { signal }),
    holdsLiveToken: () => Date.now() < expiresAtMs,
  };
}

export interface NaiveOptions {
  /** How long the client secret is used without another read. Infinity: as in an environment variable, until it is restarted. */
  secretMaxAgeMs: number;
  /** Whether a rejected client secret is read again, and tried once more. */
  readsAgainWhenRejected?: boolean;
  /** Whether it mints for each call, as a job does that starts, calls and ends. */
  mintsForEachCall?: boolean;
  /**
   * It has been running for some time: the first token is used for a random part of its life. Between two rotations lie many of
   * them, here there are few.
   */
  startsInMidLife?: boolean;
}

/** A consumer that reads AWSCURRENT and mints when its token is about to expire. */
export function naiveConsumer(
  { secretId, client, fetch: tokenFetch }: ConsumerParts,
  { secretMaxAgeMs, readsAgainWhenRejected = false, mintsForEachCall = false, startsInMidLife = false }: NaiveOptions,
): Consumer {
  let secret: { value: Record<string, string>; readAtMs: number } | undefined;
  let token = '';
  let usedUntilMs = 0;
  let lives = 0;

  async function read() {
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: secretId }));
    secret = { value: JSON.parse(SecretString) as Record<string, string>, readAtMs: performance.now() };
    return secret;
  }
  async function mint() {
    const isUsable = secret && performance.now() - secret.readAtMs < secretMaxAgeMs;
    const { value } = (isUsable && secret) || (await read());
    const { client_id: clientId = '', client_secret: clientSecret = '', token_endpoint: tokenEndpoint = '' } = value;
    return requestToken({ tokenEndpoint, clientId, clientSecret, fetch: tokenFetch, timeoutMs: 10_000 });
  }
  return {
    async call(apiUrl, fetch, signal) {
      if (mintsForEachCall || performance.now() >= usedUntilMs) {
        let answer = await mint();
        if (answer.verdict === 'rejected' && readsAgainWhenRejected) {
          secret = undefined;
          answer = await mint();
        }
        if (answer.verdict === 'rejected')
          throw new Error(`the token endpoint answers ${answer.status} ${answer.error}`);
        if (answer.verdict === 'unreachable') throw new Error(`the token endpoint: ${answer.reason}`);
        token = answer.accessToken;
        const part = startsInMidLife && lives === 0 ? Math.random() : 1;
        usedUntilMs = performance.now() + (answer.expiresInSeconds ?? 0) * 900 * part;
        lives += 1;
      }
      return fetch(apiUrl, { headers: { authorization: `Bearer ${token}` }, ...(signal && { signal }) });
    },
    holdsLiveToken: () => performance.now() < usedUntilMs,
  };
}

/** What was seen of a load; times in ms. */
export interface Tally {
  calls: number;
  failed: number;
  /** What the failures said, and how often; so many different ones at most. */
  reasons: Record<string, number>;
  /** Consumers that started, each with nothing in memory; their first calls. */
  coldStarts: number;
  coldFailed: number;
  slowestColdStartMs: number;
  /** The longest from a consumer's first failed call to its next that succeeds. */
  worstOutageMs: number;
  /** Of each call that succeeded, the time before it was sent to the API for good: what its token cost. */
  addedMs: number[];
  /** Of them, where the consumer held a live token. */
  addedToHoldersMs: number[];
  /** By second since 1970: calls and failed calls. */
  seconds: Record<number, [calls: number, failed: number]>;
}

const mostReasons = 20;

export interface LoadOptions {
  apiUrl: string;
  /** How many at once, each with one call at a time. */
  consumers: number;
  callsPerSecond: number;
  newConsumer: () => Consumer;
  /** After so long, or half of it, a consumer ends and another starts. 0: after one call. Default: never. */
  consumerLifeMs?: number;
  /** Ends it at once; calls that are under way count as nothing. */
  signal?: AbortSignal | undefined;
  onCall?: (failure: Error | undefined) => void;
}

export interface Load {
  readonly tally: Tally;
  /** The consumers that run now. */
  readonly running: ReadonlySet<Consumer>;
  /** Puts a new consumer in the place of each, after the call that it is in. */
  restart(): void;
  /** Ends when every call has. */
  stop(): Promise<Tally>;
}

export function startLoad({
  apiUrl,
  consumers,
  callsPerSecond,
  newConsumer,
  signal,
  onCall,
  ...options
}: LoadOptions): Load {
  const { consumerLifeMs = Number.POSITIVE_INFINITY } = options;
  const pauseMs = (1_000 * consumers) / callsPerSecond;
  const running = new Set<Consumer>();
  const stopping = new AbortController();
  signal?.addEventListener('abort', () => stopping.abort());
  let generation = 0;
  const tally: Tally = {
    ...{ calls: 0, failed: 0, coldStarts: 0, coldFailed: 0, slowestColdStartMs: 0, worstOutageMs: 0 },
    ...{ addedMs: [], addedToHoldersMs: [], seconds: {}, reasons: {} },
  };

  async function callOnce(consumer: Consumer, isFirst: boolean): Promise<boolean> {
    const second = Math.floor(Date.now() / 1000);
    const holds = consumer.holdsLiveToken();
    const beganMs = performance.now();
    let sentAtMs = beganMs;
    const failure = await consumer
      .call(
        apiUrl,
        (input, init) => {
          sentAtMs = performance.now();
          return fetch(input, init);
        },
        signal,
      )
      .then(
        async (response) => {
          await response.arrayBuffer();
          return response.ok ? undefined : new Error(`the API answers ${response.status}`);
        },
        (error: Error) => error,
      );
    if (signal?.aborted) return true;
    tally.calls += 1;
    tally.seconds[second] ??= [0, 0];
    const counted = tally.seconds[second];
    counted[0] += 1;
    if (failure) {
      tally.failed += 1;
      const { [failure.message]: known } = tally.reasons;
      if (known !== undefined || Object.keys(tally.reasons).length < mostReasons) {
        tally.reasons[failure.message] = (known ?? 0) + 1;
      }
      counted[1] += 1;
    } else {
      tally.addedMs.push(sentAtMs - beganMs);
      if (holds) tally.addedToHoldersMs.push(sentAtMs - beganMs);
    }
    if (isFirst) {
      tally.coldStarts += 1;
      if (failure) tally.coldFailed += 1;
      tally.slowestColdStartMs = Math.max(tally.slowestColdStartMs, performance.now() - beganMs);
    }
    onCall?.(failure);
    return !failure;
  }

  async function onePlace(): Promise<void> {
    let failingSinceMs: number | undefined;
    await pause(Math.random() * pauseMs);
    while (!stopping.signal.aborted) {
      const consumer = newConsumer();
      running.add(consumer);
      const bornIn = generation;
      const endsAtMs = performance.now() + consumerLifeMs * (0.5 + Math.random() / 2);
      for (let isFirst = true; isFirst || (performance.now() < endsAtMs && bornIn === generation); isFirst = false) {
        const beganMs = performance.now();
        const succeeded = await callOnce(consumer, isFirst);
        const nowMs = performance.now();
        failingSinceMs ??= succeeded ? undefined : beganMs;
        if (failingSinceMs !== undefined) tally.worstOutageMs = Math.max(tally.worstOutageMs, nowMs - failingSinceMs);
        if (succeeded) failingSinceMs = undefined;
        await pause(pauseMs * (0.5 + Math.random()) - (nowMs - beganMs));
        if (stopping.signal.aborted) break;
      }
      running.delete(consumer);
    }
  }

  const pause = (ms: number) => delay(Math.max(0, ms), undefined, { signal: stopping.signal }).catch(() => undefined);
  const places = Array.from({ length: consumers }, onePlace);
  return {
    tally,
    running,
    restart() {
      generation += 1;
    },
    async stop() {
      stopping.abort();
      await Promise.all(places);
      return tally;
    },
  };
}
