import { abandonable } from './abandonable.ts';
import { kindOf } from './errors.ts';
import { objectIn } from './json.ts';

/**
 * How the client proves itself: `json` is TradeAware's way (all in a JSON body), the others are the standard's.
 *
 * @see RFC 6749 section 2.3.1; RFC 7591 section 2 for the names
 */
export type ClientAuthentication = (typeof clientAuthentications)[number];

export const clientAuthentications = ['json', 'client_secret_post', 'client_secret_basic'] as const;

/** A client of a token endpoint. @see RFC 6749 section 4.4 */
export interface TokenRequest {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
  /** Default: `json`. */
  authentication?: ClientAuthentication;
  /** Sent along, such as `scope` or `audience`. */
  parameters?: Readonly<Record<string, string>>;
  /** Default: the platform's. */
  fetch?: typeof globalThis.fetch;
  /** For the whole exchange, body included. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * The endpoint's answer. `rejected`: 401, or 400 with an error code that speaks of the client; `unreachable`: anything else that is not a
 * token, since then nothing is known of the client secret. No part but `accessToken` holds a secret.
 *
 * @see RFC 6749 sections 5.1 and 5.2
 */
export type TokenAnswer =
  | {
      verdict: 'accepted';
      accessToken: string;
      tokenType: string;
      expiresInSeconds: number | undefined;
      scope: string | undefined;
    }
  | { verdict: 'rejected'; status: number; error: string | undefined }
  | { verdict: 'unreachable'; reason: string };

const maxAnswerBytes = 64 * 1024;

/** No access token is believed to live longer than a year. */
const maxLifeSeconds = 31_536_000;

/** Auth0 says `access_denied` of a wrong secret, which the RFC has for another endpoint. */
const errorsOfTheClient = ['invalid_client', 'unauthorized_client', 'access_denied'];

/** Asks for a token by the client credentials grant. Never throws. */
export async function requestToken(request: TokenRequest): Promise<TokenAnswer> {
  const { timeoutMs, signal } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const ending = signal ? AbortSignal.any([signal, deadline]) : deadline;
    // A fetch of the caller's may not heed the signal.
    return await abandonable(exchange(request, ending), ending);
  } catch (error) {
    return {
      verdict: 'unreachable',
      reason: deadline.aborted ? `no answer within ${timeoutMs} ms` : `no answer: ${kindOf(error)}`,
    };
  }
}

async function exchange(request: TokenRequest, signal: AbortSignal): Promise<TokenAnswer> {
  const { tokenEndpoint, fetch = globalThis.fetch } = request;
  // A redirect would carry the client secret elsewhere.
  const response = await fetch(tokenEndpoint, { method: 'POST', ...message(request), redirect: 'manual', signal });
  return judge(response.status, await readAtMost(response, maxAnswerBytes));
}

function message(request: TokenRequest): { headers: Record<string, string>; body: string | URLSearchParams } {
  const { clientId, clientSecret, authentication = 'json', parameters } = request;
  const grant = { ...parameters, grant_type: 'client_credentials' };
  const client = { client_id: clientId, client_secret: clientSecret };
  const headers = { accept: 'application/json' };
  if (authentication === 'json') {
    return {
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ ...grant, ...client }),
    };
  }
  if (authentication === 'client_secret_post') return { headers, body: new URLSearchParams({ ...grant, ...client }) };
  // Each part is form-encoded first, so that a colon in one separates nothing.
  const [id, secret] = [clientId, clientSecret].map((part) => new URLSearchParams([['', part]]).toString().slice(1));
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  return { headers: { ...headers, authorization }, body: new URLSearchParams(grant) };
}

function judge(status: number, body: Record<string, unknown> | undefined): TokenAnswer {
  if (status === 200) {
    const { access_token: accessToken, token_type: tokenType, expires_in: expiresIn, scope } = body ?? {};
    if (!isAccessToken(accessToken)) {
      return { verdict: 'unreachable', reason: 'status 200 without an access_token' };
    }
    return {
      verdict: 'accepted',
      accessToken,
      tokenType: tokenTypeOf(tokenType),
      expiresInSeconds: lifeSeconds(expiresIn),
      scope: typeof scope === 'string' ? scope : undefined,
    };
  }
  // Codes are made so. Anything else is not told: it might be what was sent.
  const error = typeof body?.error === 'string' && /^[a-z_]{1,64}$/.test(body.error) ? body.error : undefined;
  const ofTheClient = error !== undefined && errorsOfTheClient.includes(error);
  if (status === 401 || (status === 400 && ofTheClient)) return { verdict: 'rejected', status, error };
  return { verdict: 'unreachable', reason: `status ${status}${error ? ` ${error}` : ''}` };
}

/** Of visible ASCII characters. What else would be in a header is refused by an error that quotes it. @see RFC 6749 appendix A.12 */
export function isAccessToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/** Bearer where it is missing, or no name or URI. @see RFC 6749 appendix A.13 */
export function tokenTypeOf(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/+-]+$/.test(value) ? value : 'Bearer';
}

/** Undefined where it is missing, zero, negative or no number: nothing is known then. Some endpoints send the number as a string. */
function lifeSeconds(expiresIn: unknown): number | undefined {
  const seconds = typeof expiresIn === 'string' && /^\d{1,12}$/.test(expiresIn) ? Number(expiresIn) : expiresIn;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, maxLifeSeconds) : undefined;
}

/** The JSON object in a body of at most so many bytes; undefined where it is something else. */
async function readAtMost(response: Response, maxBytes: number): Promise<Record<string, unknown> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return objectIn(new TextDecoder().decode(Buffer.concat(chunks)));
}
