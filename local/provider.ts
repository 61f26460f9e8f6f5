/**
 * What the simulated TradeAware knows: one account, one OAuth client, and who did what to them. The portal and the
 * token endpoint are two faces of this one state. Written from the provider's public documentation only.
 *
 * A rotation at R, where both delays are chosen from 0 to 30 s:
 *
 *   old secret   accepted ─────────────┤ R + oldDiesAfterMs     never again
 *   new secret             R + newLivesAfterMs ├───────────────  accepted until it is rotated itself
 *
 * so in that window both work, only the old, only the new, or neither.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, TOTP, URI } from 'otpauth';

/** How long after a rotation the old secret dies and the new one comes alive: 0 to {@link propagationLimitMs} each. */
export type Propagation = { oldDiesAfterMs: number; newLivesAfterMs: number };

/** The provider documents "up to a 30 second delay". */
export const propagationLimitMs = 30_000;

/** The login secret's JSON, as the rotation reads it. */
export type PortalLogin = { username: string; password: string; totp_secret?: string };

export type OAuthClient = { readonly clientId: string; readonly name: string; readonly scopes: readonly string[] };

export type TokenAnswer = { access_token: string; token_type: 'Bearer'; expires_in: number; scope: string };

/** Something that the provider saw, at `at` (ms). `secretNumber` counts the client's secrets from 1; no fact has a value. */
export type ProviderFact = { at: number } & (
  | { fact: 'login' | 'login-refused' | 'rotate-requested' }
  | { fact: 'press' | 'rotated-by-hand' | 'token-minted'; secretNumber: number }
  | { fact: 'token-rejected'; secretNumber: number | undefined }
  | { fact: 'api-accepted' | 'api-rejected' }
  | { fact: 'other-click'; button: string }
);

type ProviderFactWithoutTime = ProviderFact extends infer Fact
  ? Fact extends unknown
    ? Omit<Fact, 'at'>
    : never
  : never;

export type ProviderOptions = {
  /** The provider's clock in ms. @default Date.now */
  now?: () => number;
  /** Used by every rotation that brings none of its own. @default both 0 */
  propagation?: Propagation;
  /** How long the portal goes on showing the old secret after a rotation. @default 0 */
  fieldLagMs?: number;
  /** @default 86400, as documented */
  tokenLifetimeSeconds?: number;
  /** Seed of the login's one-time codes, base32 or an `otpauth://` URI. @default none */
  totpSecret?: string;
};

/** Due diligence statements, in the API as on the overview page. */
export const statements = [
  { reference: 'DDS-2025-0418', commodity: 'Cocoa', origin: 'Ghana', plots: 312, risk: 'Negligible' },
  { reference: 'DDS-2025-0417', commodity: 'Coffee', origin: 'Vietnam', plots: 188, risk: 'Negligible' },
  { reference: 'DDS-2025-0409', commodity: 'Natural rubber', origin: 'Thailand', plots: 96, risk: 'Under review' },
  { reference: 'DDS-2025-0402', commodity: 'Soy', origin: 'Brazil', plots: 41, risk: 'Negligible' },
] as const;

/** The provider's state. Everything that a test asserts is counted here, as the provider saw it. */
export class Provider {
  readonly login: PortalLogin;
  readonly client: OAuthClient = {
    clientId: randomBytes(16).toString('hex'),
    name: 'ERP integration',
    scopes: ['create:statements', 'read:statements', 'read:plots'],
  };
  /** Another client of the account, whose secret nobody rotates and which mints nothing. */
  readonly otherClient: OAuthClient & { readonly clientSecret: string } = {
    clientId: randomBytes(16).toString('hex'),
    name: 'Sandbox',
    scopes: ['read:plots'],
    clientSecret: newSecret(),
  };
  readonly counters = {
    /** Rotate requests that took effect. */
    presses: 0,
    rotateRequests: 0,
    /** Clicks on every other button that one would not want pressed, by the button's id. */
    otherClicks: {} as Record<string, number>,
    /** Passwords that were submitted. */
    logins: { attempts: 0, succeeded: 0 },
    /** One-time codes that were submitted. */
    secondFactor: { attempts: 0, succeeded: 0 },
    tokens: { minted: 0, rejected: 0 },
    apiCalls: { accepted: 0, rejected: 0 },
  };
  readonly now: () => number;
  readonly tokenLifetimeSeconds: number;
  readonly #options: ProviderOptions;
  readonly #signingKey = randomBytes(32);
  readonly #secrets = [{ value: newSecret(), issuedAt: Number.NEGATIVE_INFINITY, livesAt: 0, diesAt: Infinity }];
  #lastCodeStep: number | undefined;
  readonly #listeners = new Set<(fact: ProviderFact) => void>();

  constructor(options: ProviderOptions = {}) {
    this.#options = options;
    this.now = options.now ?? Date.now;
    this.tokenLifetimeSeconds = options.tokenLifetimeSeconds ?? 86_400;
    this.login = { username: 'rotation@example.com', password: randomBytes(18).toString('base64url') };
    if (options.totpSecret) this.login.totp_secret = options.totpSecret;
  }

  /** Calls `listener` for every fact from now on; returns how to stop. */
  onFact(listener: (fact: ProviderFact) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether these are the account's e-mail and password; counts the attempt. */
  signIn(username: string, password: string): boolean {
    const succeeded = username.toLowerCase() === this.login.username && password === this.login.password;
    this.counters.logins.attempts += 1;
    if (succeeded) this.counters.logins.succeeded += 1;
    this.#record({ fact: succeeded ? 'login' : 'login-refused' });
    return succeeded;
  }

  /** Whether this is the one-time code of the present time step, and the step's first; counts the attempt. */
  enterCode(code: string): boolean {
    const { totp_secret: seed } = this.login;
    this.counters.secondFactor.attempts += 1;
    if (!seed) return false;
    const totp = seed.startsWith('otpauth:') ? URI.parse(seed) : new TOTP({ secret: Secret.fromBase32(seed) });
    if (!(totp instanceof TOTP)) throw new TypeError('the seed of one-time codes must be of type totp');
    const timestamp = this.now();
    const step = totp.counter({ timestamp });
    if (step === this.#lastCodeStep || totp.validate({ token: code.trim(), timestamp, window: 0 }) !== 0) return false;
    this.#lastCodeStep = step;
    this.counters.secondFactor.succeeded += 1;
    return true;
  }

  /** The secret that was issued last: the only one accepted once propagation is over. */
  issuedSecret(): string {
    return this.#newest().value;
  }

  /** The secret in the portal's field: the issued one, or for `fieldLagMs` after a rotation the one before it. */
  shownSecret(fieldLagMs = this.#options.fieldLagMs ?? 0): string {
    const shownSince = this.now() - fieldLagMs;
    return (this.#secrets.findLast(({ issuedAt }) => issuedAt <= shownSince) ?? this.#newest()).value;
  }

  /** The portal was asked to rotate, with or without effect. */
  rotateRequested(): void {
    this.counters.rotateRequests += 1;
    this.#record({ fact: 'rotate-requested' });
  }

  /** The press: makes a new secret, irrevocably. */
  rotate(propagation?: Propagation): void {
    this.#issue(propagation);
    this.counters.presses += 1;
    this.#record({ fact: 'press', secretNumber: this.#secrets.length });
  }

  /** A person rotated behind our back: the same effect, not counted as a press. */
  rotateByHand(propagation?: Propagation): void {
    this.#issue(propagation);
    this.#record({ fact: 'rotated-by-hand', secretNumber: this.#secrets.length });
  }

  /** The provider went back to its state of before the last rotation, as after a restored backup: the secret of then is the valid one. */
  rollBack(): void {
    this.#issue(undefined, this.#secrets.at(-2)?.value);
    this.#record({ fact: 'rotated-by-hand', secretNumber: this.#secrets.length });
  }

  otherClick(button: string): void {
    this.counters.otherClicks[button] = (this.counters.otherClicks[button] ?? 0) + 1;
    this.#record({ fact: 'other-click', button });
  }

  /** An access token for these credentials, or undefined where they are not accepted (now). */
  mintToken(clientId: string, clientSecret: string): TokenAnswer | undefined {
    const now = this.now();
    const index = clientId === this.client.clientId ? this.#secrets.findLastIndex((s) => s.value === clientSecret) : -1;
    const secret = this.#secrets[index];
    const secretNumber = secret && index + 1;
    if (!secret || !secretNumber || now < secret.livesAt || now >= secret.diesAt) {
      this.counters.tokens.rejected += 1;
      this.#record({ fact: 'token-rejected', secretNumber });
      return undefined;
    }
    this.counters.tokens.minted += 1;
    this.#record({ fact: 'token-minted', secretNumber });
    const expires_in = this.tokenLifetimeSeconds;
    const iat = Math.floor(now / 1000);
    const scope = this.client.scopes.join(' ');
    const claims = {
      iss: 'TradeAware',
      sub: clientId,
      iat,
      exp: iat + expires_in,
      scope,
      jti: randomBytes(9).toString('hex'),
    };
    const content = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
    return { access_token: `${content}.${this.#sign(content)}`, token_type: 'Bearer', expires_in, scope };
  }

  /** Whether the API accepts this access token: ours and not expired, whatever happened to the secret since. */
  acceptsToken(token: string): boolean {
    const [header = '', claims = '', signature = ''] = token.split('.');
    const expected = Buffer.from(this.#sign(`${header}.${claims}`));
    const given = Buffer.from(signature);
    const ours = given.length === expected.length && timingSafeEqual(given, expected);
    const accepted = ours && JSON.parse(Buffer.from(claims, 'base64url').toString()).exp * 1000 > this.now();
    this.counters.apiCalls[accepted ? 'accepted' : 'rejected'] += 1;
    this.#record({ fact: accepted ? 'api-accepted' : 'api-rejected' });
    return accepted;
  }

  #issue(
    propagation = this.#options.propagation ?? { oldDiesAfterMs: 0, newLivesAfterMs: 0 },
    value = newSecret(),
  ): void {
    for (const name of ['oldDiesAfterMs', 'newLivesAfterMs'] as const) {
      const delayMs = propagation[name];
      if (!(delayMs >= 0 && delayMs <= propagationLimitMs)) {
        throw new RangeError(`${name} must be 0 to ${propagationLimitMs} ms, not ${delayMs}`);
      }
    }
    const issuedAt = this.now();
    this.#newest().diesAt = issuedAt + propagation.oldDiesAfterMs;
    this.#secrets.push({
      value,
      issuedAt,
      livesAt: issuedAt + propagation.newLivesAfterMs,
      diesAt: Infinity,
    });
  }

  #newest() {
    const newest = this.#secrets.at(-1);
    if (!newest) throw new Error('a client always has a secret');
    return newest;
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#signingKey).update(content).digest('base64url');
  }

  #record(fact: ProviderFactWithoutTime): void {
    const recorded = { ...fact, at: this.now() } as ProviderFact;
    for (const listener of this.#listeners) listener(recorded);
  }
}

/** 64 url-safe characters. */
function newSecret(): string {
  return randomBytes(48).toString('base64url');
}

function base64url(json: object): string {
  return Buffer.from(JSON.stringify(json)).toString('base64url');
}
