import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { abandonable } from './abandonable.ts';
import { atLeastZero, type Clock, jittered, systemClock, timeoutOf } from './clock.ts';
import { ConsumerError, kindOf } from './errors.ts';
import { isText, type JsonObject, objectIn } from './json.ts';
import { isSecureUrl } from './secure-url.ts';
import { isAccessToken, tokenTypeOf } from './token-request.ts';
import { withUnlogged } from './unlogged.ts';

/** One version of the client's credentials. */
export interface ClientCredentials {
  readonly clientId: string;
  /** Not enumerable in what this library makes: credentials in a log show no secret. */
  readonly clientSecret: string;
  readonly tokenEndpoint: string;
  /** Tells one client secret from another. */
  readonly versionId: string;
}

/** The access token that a rotation leaves for consumers right before it makes the old client secret worthless. */
export interface BridgeToken {
  readonly clientId: string;
  readonly accessToken: string;
  readonly tokenType: string;
  readonly expiresAt: Date;
  /** Where it is known, what it lives in all. */
  readonly lifeMs: number | undefined;
}

/**
 * Where client credentials come from. All but `getCredentials` and `invalidate` may be missing from one of your own. Its reads have to end:
 * callers wait for them.
 */
export interface CredentialSource {
  /** Name or ARN; events about other secrets are left alone. */
  readonly secretId?: string;
  /** The current credentials. `forceRefresh` reads them anew. */
  getCredentials(options?: { forceRefresh?: boolean }): Promise<ClientCredentials>;
  /** Credentials that are about to become current, where there are any. */
  getPendingCredentials?(): Promise<ClientCredentials | undefined>;
  getBridgeToken?(): Promise<BridgeToken | undefined>;
  /** Forgets this version, if it is the one in hand. */
  invalidate(versionId: string): void;
}

export interface SecretsManagerCredentialsOptions {
  /** Name or ARN of the rotated secret. */
  secretId: string;
  /** Default: the SDK's own, with its region and credentials. */
  client?: Pick<SecretsManagerClient, 'send'>;
  /** How long credentials in hand are used without another read; up to half of it is taken off at random. Default: 1 h. */
  maxAgeMs?: number;
  /** For one read, the SDK's retries included. Default: 5 s. */
  timeoutMs?: number;
  /** For tests. */
  clock?: Clock;
}

type Label = 'AWSCURRENT' | 'AWSPENDING';

/** What the contract says of a secret without `token_endpoint`. */
const defaultTokenEndpoint = 'https://api.tradeaware.live-eo.com/auth/machine-to-machine-clients/token';

/**
 * Credentials from a secret that rotate-client-secret rotates: JSON with `client_id`, `client_secret`, and optionally `token_endpoint`
 * and `bridge_secret_arn`. Needs secretsmanager:GetSecretValue on it and on the bridge secret.
 */
export function secretsManagerCredentials(options: SecretsManagerCredentialsOptions): CredentialSource {
  return new SecretsManagerCredentials(options);
}

class SecretsManagerCredentials implements CredentialSource {
  readonly secretId: string;
  readonly #client: Pick<SecretsManagerClient, 'send'>;
  readonly #maxAgeMs: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #held: { credentials: ClientCredentials; staleAtMs: number } | undefined;
  #reading: Promise<ClientCredentials> | undefined;
  #bridgeSecretArn: string | undefined;

  constructor({ secretId, client, maxAgeMs, timeoutMs, clock }: SecretsManagerCredentialsOptions) {
    if (typeof secretId !== 'string' || secretId === '')
      throw new ConsumerError('configuration', 'secretId is missing');
    this.secretId = secretId;
    this.#client = client ?? new SecretsManagerClient();
    this.#maxAgeMs = atLeastZero('maxAgeMs', maxAgeMs ?? 3_600_000);
    this.#timeoutMs = timeoutOf(timeoutMs ?? 5_000);
    this.#clock = clock ?? systemClock;
  }

  async getCredentials({ forceRefresh = false } = {}): Promise<ClientCredentials> {
    const held = this.#held;
    if (held && !forceRefresh && this.#clock.monotonicMs() < held.staleAtMs) return held.credentials;
    this.#reading ??= this.#readCurrent().finally(() => {
      this.#reading = undefined;
    });
    try {
      return await this.#reading;
    } catch (error) {
      // Old credentials are most likely still good, and the token endpoint tells if they are not.
      if (held && held === this.#held && !forceRefresh && isUnavailable(error)) return held.credentials;
      throw error;
    }
  }

  async getPendingCredentials(): Promise<ClientCredentials | undefined> {
    const read = await this.#read(this.secretId, 'AWSPENDING');
    return read && this.#parse('AWSPENDING', read).credentials;
  }

  async getBridgeToken(): Promise<BridgeToken | undefined> {
    const read = this.#bridgeSecretArn && (await this.#read(this.#bridgeSecretArn, 'AWSCURRENT'));
    return read ? parseBridge(read.json) : undefined;
  }

  invalidate(versionId: string): void {
    if (this.#held?.credentials.versionId === versionId) this.#held = undefined;
  }

  async #readCurrent(): Promise<ClientCredentials> {
    const read = await this.#read(this.secretId, 'AWSCURRENT');
    if (!read) throw new ConsumerError('configuration', `secret ${this.secretId} does not exist, or has no value`);
    const { credentials, bridgeSecretArn } = this.#parse('AWSCURRENT', read);
    this.#bridgeSecretArn = bridgeSecretArn;
    this.#held = { credentials, staleAtMs: this.#clock.monotonicMs() + jittered(this.#maxAgeMs, this.#clock) };
    return credentials;
  }

  #parse(label: Label, { json, versionId }: Read): { credentials: ClientCredentials; bridgeSecretArn?: string } {
    const { client_id: clientId, client_secret: clientSecret, bridge_secret_arn: bridgeSecretArn } = json ?? {};
    const { token_endpoint: tokenEndpoint = defaultTokenEndpoint } = json ?? {};
    const invalid = (what: string) =>
      new ConsumerError('configuration', `secret ${this.secretId}, ${label}, version ${versionId}: ${what}`);
    if (!json) throw invalid('its value is not a JSON object');
    if (!isText(clientId)) throw invalid('client_id is missing');
    if (!isText(clientSecret)) throw invalid('client_secret is missing');
    if (!isText(tokenEndpoint) || !isSecureUrl(tokenEndpoint)) {
      throw invalid('token_endpoint is not an https URL without credentials');
    }
    return {
      credentials: withUnlogged({ clientId, tokenEndpoint, versionId }, 'clientSecret', clientSecret),
      ...(isText(bridgeSecretArn) && { bridgeSecretArn }),
    };
  }

  /** Undefined where there is no such secret or label, or no value yet, which Secrets Manager does not tell apart. */
  async #read(SecretId: string, VersionStage: Label): Promise<Read | undefined> {
    const abortSignal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const command = new GetSecretValueCommand({ SecretId, VersionStage });
      // The signal ends the request, not what the SDK waits for before it: a credential provider, say.
      const answer = await abandonable(this.#client.send(command, { abortSignal }), abortSignal);
      const { SecretString, VersionId } = answer;
      return { json: objectIn(SecretString ?? ''), versionId: VersionId ?? 'unknown' };
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw readFailure(error, `secret ${SecretId}, ${VersionStage}`, abortSignal.aborted && this.#timeoutMs);
    }
  }
}

interface Read {
  json: JsonObject | undefined;
  versionId: string;
}

/** Undefined for a slot without a token, and for what is no slot: the bridge is a last resort, not a place to complain. */
function parseBridge(json: JsonObject | undefined): BridgeToken | undefined {
  const { client_id: clientId, access_token: accessToken, token_type: tokenType, armed_at: armedAt } = json ?? {};
  const expiresAtMs = Date.parse(String(json?.expires_at));
  if (!isText(clientId) || !isAccessToken(accessToken) || Number.isNaN(expiresAtMs)) return undefined;
  const lifeMs = expiresAtMs - Date.parse(String(armedAt));
  const bridge = {
    clientId,
    tokenType: tokenTypeOf(tokenType),
    expiresAt: new Date(expiresAtMs),
    lifeMs: lifeMs > 0 ? lifeMs : undefined,
  };
  return withUnlogged(bridge, 'accessToken', accessToken);
}

/**
 * Whether waiting helps: of a request that was understood and refused it does not. The service's words may be told, they are about
 * permissions and names; the words of anything else may be about what could not be parsed.
 *
 * @see Secrets Manager API reference, GetSecretValue, "Errors"
 */
function readFailure(error: unknown, what: string, timedOutAfterMs: number | false): ConsumerError {
  if (timedOutAfterMs)
    return new ConsumerError('credentials-unavailable', `${what}: no answer in ${timedOutAfterMs} ms`);
  const { name, message, $fault, $retryable } = error as { [key in (typeof errorKeys)[number]]?: unknown };
  if (message === 'Region is missing')
    return new ConsumerError('configuration', `${what}: no AWS region is configured`);
  const throttled = $retryable !== undefined || /throttl|toomanyrequests|limitexceeded/i.test(String(name));
  if ($fault === 'client' && !throttled) {
    return new ConsumerError('configuration', `${what}: ${name}: ${String(message).slice(0, 500)}`);
  }
  const isFinal = name === 'CredentialsProviderError';
  return new ConsumerError(isFinal ? 'configuration' : 'credentials-unavailable', `${what}: ${kindOf(error)}`);
}

const errorKeys = ['name', 'message', '$fault', '$retryable'] as const;

function isUnavailable(error: unknown): boolean {
  return error instanceof ConsumerError && error.code === 'credentials-unavailable';
}
