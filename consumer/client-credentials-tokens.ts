/**
 * The life of an access token, on the monotonic clock:
 *
 *   minted                 half of its life                      margin  expired
 *   ├──────── fresh ───────────┼──────────── renewable ─────────────┼─ due ─┤
 *   served from memory         served; renewed in the background    a caller waits for one renewal,
 *                                                                   and gets this one if that fails
 *
 * So in a changeover, in which nothing may be minted, a running consumer has half a token's life in hand. Whoever has no live token
 * goes through the order of trust, in rounds until `rotationWait` is over: mint with the credentials in hand, with those read anew,
 * with the pending ones, take the bridge token. Nothing happens between calls: there is no timer.
 */
import { abandonable } from './abandonable.ts';
import { atLeastZero, type Clock, jittered, systemClock, timeoutOf } from './clock.ts';
import { ConsumerError, kindOf } from './errors.ts';
import type { BridgeToken, ClientCredentials, CredentialSource } from './secrets-manager-credentials.ts';
import { isSecureUrl } from './secure-url.ts';
import { type ClientAuthentication, clientAuthentications, requestToken } from './token-request.ts';
import { withUnlogged } from './unlogged.ts';

export interface AccessToken {
  /** Not enumerable: an access token in a log shows none. */
  readonly token: string;
  readonly tokenType: string;
  readonly expiresAt: Date;
  /** From then on a call renews it in the background. */
  readonly refreshAfter: Date;
  /** The client secret's version that it was minted with; undefined for the bridge token. */
  readonly credentialVersionId: string | undefined;
}

export interface GetTokenOptions {
  /** Ends this caller's wait, nobody else's. */
  signal?: AbortSignal;
  /** Tries to mint though the token in hand is fresh; if that fails, the one in hand is served. */
  forceRefresh?: boolean;
}

export interface AccessTokenSource {
  readonly secretId: string | undefined;
  /**
   * A live access token.
   *
   * @throws {ConsumerError} where there is none: at once for `configuration`, otherwise when `rotationWait` is over
   */
  getToken(options?: GetTokenOptions): Promise<AccessToken>;
  /** Drops this token, if it is the one in hand, since an API has refused it. Of tokens younger than a minute, three in a row at most. */
  invalidate(token: string): void;
  /** A rotation is about to press: renews now what may not last until it is over. Never rejects. */
  rotationStarted(): Promise<void>;
  /** The client secret has changed: the next mint reads it, unless this version is the one in hand. Tokens live on. */
  credentialsChanged(versionId: string): void;
}

/** What a source does, for logs and metrics. It has no secret. Times in ms. */
export type SourceEvent =
  | { type: 'mint' | 'renew'; credentialVersionId: string; label: Label; expiresAt: Date; tookMs: number }
  | { type: 'renew-failed'; reason: string }
  | { type: 'retry'; reason: string; inMs: number }
  | { type: 'bridge'; expiresAt: Date }
  | { type: 'wait'; waitedMs: number; succeeded: boolean };

export interface ClientCredentialsTokensOptions {
  credentials: CredentialSource;
  /** Default: `json`. */
  authentication?: ClientAuthentication;
  /** Sent with each token request, such as `scope` or `audience`. */
  parameters?: Readonly<Record<string, string>>;
  /** How long a caller without a live token is kept waiting for a changeover to end, before an error, in ms. Default: 60,000. */
  rotationWait?: number;
  /** For one token request. Default: 10 s. */
  timeoutMs?: number;
  /** Default: the platform's. */
  fetch?: typeof globalThis.fetch;
  onEvent?: (event: SourceEvent) => void;
  /** For tests. */
  clock?: Clock;
}

type Label = 'AWSCURRENT' | 'AWSPENDING';

/** An access token with its instants on the monotonic clock, which the wall clock's jumps do not touch. */
interface Held {
  access: AccessToken;
  /** `access`, resolved once for all callers. */
  resolved: Promise<AccessToken>;
  mintedAtMs: number;
  renewableAtMs: number;
  dueAtMs: number;
  expiredAtMs: number;
  /** What the wall clock was ahead of the monotonic one. */
  wallAheadMs: number;
  isBridge: boolean;
  /** It is fresh until then, without a look at the wall clock. */
  lookAgainAtMs: number;
}

/** A round without a token: what was tried, and the error that it comes to if nothing more is. */
interface Failure {
  code: ConsumerError['code'];
  tried: string[];
  /** Where waiting does not help. */
  final?: ConsumerError;
}

/** Where the token endpoint does not say what a token lives. */
const defaultLifeMs = 300_000;
/** A token is renewed at half its life, and at least daily, whatever it says of itself. */
const longestFreshMs = 43_200_000;
const marginMs = 30_000;
const shortestLifeMs = 1_000;
const longestRenewalPauseMs = 300_000;
const pausesMs = [1_000, 2_000, 4_000, 8_000] as const;
const longestPauseMs = 10_000;
const toleratedJumpMs = 60_000;
/** Longer than nothing can be minted around a press. */
const changeoverMs = 120_000;
/** Reading a clock is the dearest part of a call that is served from memory. */
const lookEveryMs = 100;
const youngMs = 60_000;
const youngDrops = 3;

/** Access tokens by the client credentials grant, one mint at a time. @see RFC 6749 section 4.4 */
export function clientCredentialsTokens(options: ClientCredentialsTokensOptions): AccessTokenSource {
  return new ClientCredentialsTokens(options);
}

class ClientCredentialsTokens implements AccessTokenSource {
  readonly secretId: string | undefined;
  readonly #options: ClientCredentialsTokensOptions;
  readonly #credentials: CredentialSource;
  readonly #clock: Clock;
  readonly #rotationWaitMs: number;
  readonly #timeoutMs: number;
  readonly #authentication: ClientAuthentication;

  #held: Held | undefined;
  #round: Promise<Failure | undefined> | undefined;
  #noRenewalBeforeMs = 0;

  #acquiring: Promise<Held> | undefined;
  #waiting = 0;
  #pause: AbortController | undefined;
  /** Rounds that failed in a row. However many callers come and go, the next is no sooner than this. */
  #failures = 0;
  #noRoundBeforeMs = 0;
  #latestError: { error: ConsumerError; isFinal: boolean } | undefined;

  #clientId: string | undefined;
  #versionId: string | undefined;
  #refusedToken: string | undefined;
  #youngDrops = 0;

  constructor(options: ClientCredentialsTokensOptions) {
    if (!options.credentials) throw new ConsumerError('configuration', 'credentials is missing');
    this.#options = options;
    this.#credentials = options.credentials;
    this.#clock = options.clock ?? systemClock;
    this.#rotationWaitMs = atLeastZero('rotationWait', options.rotationWait ?? 60_000);
    this.#timeoutMs = timeoutOf(options.timeoutMs ?? 10_000);
    this.#authentication = options.authentication ?? 'json';
    if (!clientAuthentications.includes(this.#authentication)) {
      const known = clientAuthentications.join(', ');
      throw new ConsumerError('configuration', `authentication must be one of ${known}, not ${this.#authentication}`);
    }
    this.secretId = options.credentials.secretId;
  }

  getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const held = this.#held;
    if (held && options === undefined && this.#isFresh(held)) return held.resolved;
    return this.#getToken(options ?? {});
  }

  async #getToken({ signal, forceRefresh = false }: GetTokenOptions): Promise<AccessToken> {
    signal?.throwIfAborted();
    const held = this.#held;
    if (held && this.#isLive(held)) {
      const wanted = forceRefresh || !this.#isFresh(held);
      const renewing = wanted ? this.#renew(forceRefresh) : undefined;
      if (forceRefresh || this.#isDue(held)) await abandonable(renewing, signal);
      const latest = this.#held;
      if (latest && this.#isLive(latest)) return latest.access;
      signal?.throwIfAborted();
    }
    return (await this.#acquire(signal)).access;
  }

  invalidate(token: string): void {
    const held = this.#held;
    if (held?.access.token !== token) return;
    const isYoung = !held.isBridge && this.#clock.monotonicMs() - held.mintedAtMs < youngMs;
    // An API that refuses whatever it is sent must not cost a mint a call.
    if (isYoung && this.#youngDrops >= youngDrops) return;
    this.#youngDrops = isYoung ? this.#youngDrops + 1 : 0;
    this.#refusedToken = token;
    this.#held = undefined;
  }

  async rotationStarted(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    const lifeMs = held.expiredAtMs - held.mintedAtMs;
    // Later than a caller would be renewed for: else all that are seldom called would renew in the same second.
    const soonMs = Math.max(lifeMs / 4, Math.min(lifeMs / 2, changeoverMs));
    if (held.expiredAtMs - this.#clock.monotonicMs() < soonMs) await this.#renew(true);
  }

  credentialsChanged(versionId: string): void {
    if (this.#versionId !== undefined && this.#versionId !== versionId) this.#credentials.invalidate(this.#versionId);
  }

  #isLive(held: Held): boolean {
    return this.#clock.monotonicMs() < held.expiredAtMs;
  }

  #isFresh(held: Held): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < held.lookAgainAtMs) return true;
    if (nowMs >= held.renewableAtMs || this.#hasJumped(held, nowMs)) return false;
    held.lookAgainAtMs = Math.min(nowMs + lookEveryMs, held.renewableAtMs);
    return true;
  }

  #isDue(held: Held): boolean {
    const nowMs = this.#clock.monotonicMs();
    return nowMs >= held.dueAtMs || this.#hasJumped(held, nowMs);
  }

  /**
   * The wall clock went forward more than the monotonic one. Either it was set, and the token lives; or the machine slept, and the token
   * may have died: so another is minted if one can be.
   */
  #hasJumped(held: Held, monotonicMs: number): boolean {
    return this.#clock.nowMs() - monotonicMs - held.wallAheadMs > toleratedJumpMs;
  }

  /** One round for a token in hand, not too soon after one that failed. Never rejects. */
  async #renew(now: boolean): Promise<void> {
    if (now || this.#clock.monotonicMs() >= this.#noRenewalBeforeMs) await this.#runRound('renew');
  }

  /** The order of trust, for all who wait at once; each of them for `rotationWait`, or until no further round begins in it. */
  async #acquire(signal: AbortSignal | undefined): Promise<Held> {
    const startedAtMs = this.#clock.monotonicMs();
    const known = this.#latestError;
    const pauseMs = this.#noRoundBeforeMs - startedAtMs;
    const isTooSoon = pauseMs > 0 && (known?.isFinal || pauseMs > this.#rotationWaitMs);
    if (known && isTooSoon) throw known.error;
    for (;;) {
      try {
        return await this.#join(startedAtMs, signal);
      } catch (error) {
        const latest = this.#latestError;
        const isOver = this.#noRoundBeforeMs >= startedAtMs + this.#rotationWaitMs;
        if (isOver || latest?.isFinal || error !== latest?.error) throw error;
        // It was over for whoever came first, and this caller came later.
      }
    }
  }

  #join(startedAtMs: number, signal: AbortSignal | undefined): Promise<Held> {
    this.#waiting += 1;
    if (!this.#acquiring) {
      const acquiring = this.#acquireInRounds(startedAtMs).finally(() => {
        if (this.#acquiring === acquiring) this.#acquiring = undefined;
      });
      this.#acquiring = acquiring;
    }
    return abandonable(this.#acquiring, signal).finally(() => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#pause?.abort();
    });
  }

  async #acquireInRounds(startedAtMs: number): Promise<Held> {
    const tried = new Map<string, number>();
    const waitUntilMs = startedAtMs + this.#rotationWaitMs;
    for (let round = 0; ; round++) {
      await this.#sleepUntil(Math.min(this.#noRoundBeforeMs, waitUntilMs));
      const failure = await this.#runRound(round === 0 ? 'mint' : 'mint again');
      const held = failure ? await this.#takeBridgeToken(failure) : this.#held;
      const nowMs = this.#clock.monotonicMs();
      const waitedMs = Math.round(nowMs - startedAtMs);
      if (held) {
        if (round > 0) this.#emit({ type: 'wait', waitedMs, succeeded: true });
        this.#failures = 0;
        this.#noRoundBeforeMs = 0;
        return held;
      }
      // Without a failure there was a token, and it was dropped meanwhile.
      const dropped: Failure = { code: 'client-rejected', tried: ['a token that an API refused'] };
      const { code, tried: triedNow, final } = failure ?? dropped;
      for (const what of triedNow) tried.set(what, (tried.get(what) ?? 0) + 1);
      const pauseMs = jittered(pausesMs[this.#failures++] ?? longestPauseMs, this.#clock);
      this.#noRoundBeforeMs = nowMs + pauseMs;
      if (final || nowMs >= waitUntilMs) {
        if (round > 0) this.#emit({ type: 'wait', waitedMs, succeeded: false });
        const error = final ?? this.#tokenError(code, tried, waitedMs);
        this.#latestError = { error, isFinal: final !== undefined };
        throw error;
      }
      this.#emit({ type: 'retry', reason: triedNow.join('; '), inMs: Math.round(pauseMs) });
    }
  }

  /** Cut short when the last caller leaves, and then it throws, which nobody hears; unless somebody has come before it has heard. */
  async #sleepUntil(monotonicMs: number): Promise<void> {
    do {
      const ms = monotonicMs - this.#clock.monotonicMs();
      if (ms <= 0) return;
      if (this.#waiting > 0) {
        this.#pause = new AbortController();
        await this.#clock.sleep(ms, this.#pause.signal).catch(() => undefined);
      }
      if (this.#waiting === 0) {
        this.#acquiring = undefined;
        throw new ConsumerError('client-rejected', 'every caller has left');
      }
    } while (this.#pause?.signal.aborted);
  }

  #tokenError(code: ConsumerError['code'], tried: ReadonlyMap<string, number>, waitedMs: number): ConsumerError {
    const list = [...tried].map(([what, times]) => (times > 1 ? `${what} (${times} times)` : what));
    const whose = this.secretId === undefined ? '' : ` for secret ${this.secretId}`;
    return new ConsumerError(code, `no access token${whose} after ${waitedMs} ms; tried: ${list.join('; ')}`, list);
  }

  /** The one place where tokens are minted, once at a time. Never rejects; without a failure the new token is in hand. */
  #runRound(kind: 'mint' | 'mint again' | 'renew'): Promise<Failure | undefined> {
    this.#round ??= this.#tryEachSecret(kind)
      // Of a credential source of somebody else's making; nobody may be listening, and the process must live on.
      .catch((error: unknown) => ({
        code: 'credentials-unavailable' as const,
        tried: [`credentials: ${kindOf(error)}`],
      }))
      .then((failure) => {
        this.#round = undefined;
        const nowMs = this.#clock.monotonicMs();
        // A quarter of what is left: several tries before a token dies, however short it lives, and few an hour for one of a day.
        const leftMs = failure && this.#held ? this.#held.expiredAtMs - nowMs : 0;
        const pauseMs = Math.min(Math.max(leftMs / 4, 1_000), longestRenewalPauseMs);
        this.#noRenewalBeforeMs = failure ? nowMs + jittered(pauseMs, this.#clock) : 0;
        if (failure && kind === 'renew') this.#emit({ type: 'renew-failed', reason: failure.tried.join('; ') });
        return failure;
      });
    return this.#round;
  }

  async #tryEachSecret(kind: 'mint' | 'mint again' | 'renew'): Promise<Failure | undefined> {
    const source = this.#credentials;
    const tried: string[] = [];
    const versionsTried = new Set<string>();
    const candidates: [Label, () => Promise<ClientCredentials | undefined>][] = [
      ['AWSCURRENT', () => source.getCredentials()],
      ['AWSCURRENT', () => source.getCredentials({ forceRefresh: true })],
      ['AWSPENDING', async () => source.getPendingCredentials?.()],
    ];
    // In a later round there are none in memory.
    if (kind === 'mint again') candidates.shift();
    for (const [label, read] of candidates) {
      let credentials: ClientCredentials | undefined;
      try {
        credentials = await read();
        if (credentials && !isSecureUrl(credentials.tokenEndpoint)) {
          throw new ConsumerError('configuration', 'the token endpoint is not an https URL without credentials');
        }
      } catch (error) {
        const failure = error instanceof ConsumerError ? error : undefined;
        tried.push(failure?.message ?? `credentials: ${kindOf(error)}`);
        // Without permission to read AWSPENDING there is still the bridge.
        if (label === 'AWSPENDING') break;
        const final = failure?.code === 'configuration' ? { final: failure } : {};
        return { code: 'credentials-unavailable', tried, ...final };
      }
      if (!credentials) {
        tried.push(`${label}: no value`);
        continue;
      }
      if (versionsTried.has(credentials.versionId)) continue;
      versionsTried.add(credentials.versionId);
      const refusal = await this.#mint(credentials, label, kind);
      if (!refusal) return undefined;
      tried.push(`${label}, version ${credentials.versionId}: ${refusal.reason}`);
      // Nothing is known of the secret then, and another would fare no better.
      if (refusal.verdict === 'unreachable') return { code: 'token-endpoint-unreachable', tried };
      source.invalidate(credentials.versionId);
    }
    return { code: 'client-rejected', tried };
  }

  async #mint(
    { tokenEndpoint, clientId, clientSecret, versionId }: ClientCredentials,
    label: Label,
    kind: 'mint' | 'mint again' | 'renew',
  ): Promise<{ verdict: 'rejected' | 'unreachable'; reason: string } | undefined> {
    const { parameters = {}, fetch = globalThis.fetch } = this.#options;
    const client = { tokenEndpoint, clientId, clientSecret, authentication: this.#authentication, parameters };
    this.#clientId = clientId;
    this.#versionId = versionId;
    const askedAtMs = this.#clock.monotonicMs();
    const answer = await requestToken({ ...client, timeoutMs: this.#timeoutMs, fetch });
    if (answer.verdict === 'unreachable') return { verdict: 'unreachable', reason: answer.reason };
    if (answer.verdict === 'rejected') {
      return { verdict: 'rejected', reason: `rejected with ${[answer.status, answer.error].join(' ').trim()}` };
    }
    const { accessToken, tokenType, expiresInSeconds } = answer;
    const lifeMs = expiresInSeconds === undefined ? defaultLifeMs : Math.max(expiresInSeconds * 1000, shortestLifeMs);
    const { access } = this.#hold(accessToken, tokenType, versionId, lifeMs, askedAtMs);
    const tookMs = Math.round(this.#clock.monotonicMs() - askedAtMs);
    const type = kind === 'renew' ? 'renew' : 'mint';
    this.#emit({ type, credentialVersionId: versionId, label, expiresAt: access.expiresAt, tookMs });
    return undefined;
  }

  /** Takes the bridge token if it is of this client and lives long enough to be of use; notes in `failure` why not. */
  async #takeBridgeToken(failure: Failure): Promise<Held | undefined> {
    if (failure.final || !this.#credentials.getBridgeToken) return undefined;
    const nothing = (why: string) => void failure.tried.push(`bridge token: ${why}`);
    let bridge: BridgeToken | undefined;
    try {
      bridge = await this.#credentials.getBridgeToken();
    } catch (error) {
      return nothing(error instanceof ConsumerError ? error.message : kindOf(error));
    }
    if (!bridge) return nothing('none');
    if (bridge.clientId !== this.#clientId) return nothing('of another client');
    if (bridge.accessToken === this.#refusedToken) return nothing('refused by the API');
    const leftMs = bridge.expiresAt.getTime() - this.#clock.nowMs();
    if (leftMs <= marginOf(bridge.lifeMs ?? leftMs)) return nothing('expired, or about to');
    const held = this.#hold(bridge.accessToken, bridge.tokenType, undefined, leftMs, this.#clock.monotonicMs());
    this.#emit({ type: 'bridge', expiresAt: held.access.expiresAt });
    return held;
  }

  #hold(token: string, tokenType: string, versionId: string | undefined, lifeMs: number, fromMs: number): Held {
    const isBridge = versionId === undefined;
    const wallAheadMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    // Half and a tenth at random, so that processes that began together do not renew together. A bridge token is only to get by.
    const freshMs = isBridge
      ? jittered(Math.min(lifeMs / 4, marginMs), this.#clock)
      : Math.min(lifeMs / 2, longestFreshMs) * (1 + this.#clock.random() / 5);
    const expiredAtMs = fromMs + lifeMs;
    const access = {
      tokenType,
      expiresAt: new Date(expiredAtMs + wallAheadMs),
      refreshAfter: new Date(fromMs + freshMs + wallAheadMs),
      credentialVersionId: versionId,
    };
    const complete = withUnlogged(access, 'token', token);
    this.#held = {
      access: complete,
      resolved: Promise.resolve(complete),
      mintedAtMs: fromMs,
      renewableAtMs: fromMs + freshMs,
      dueAtMs: expiredAtMs - marginOf(lifeMs),
      expiredAtMs,
      wallAheadMs,
      isBridge,
      lookAgainAtMs: 0,
    };
    return this.#held;
  }

  /** A logger that fails, at once or later, is no reason to be without a token, or to end the process. */
  #emit(event: SourceEvent): void {
    const told = (async () => this.#options.onEvent?.(event))();
    told.catch(() => undefined);
  }
}

/** So much of a token's life at its end is not relied on: half a minute, or a tenth of a short life. */
function marginOf(lifeMs: number): number {
  return Math.min(marginMs, lifeMs / 10);
}
