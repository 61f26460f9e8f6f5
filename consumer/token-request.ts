/** A client of a token endpoint. @see RFC 6749 section 4.4 */
export interface TokenRequest {
  tokenEndpoint: string;
  clientId: string;
  clientSecret: string;
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

/** Asks for a token by the client credentials grant, with the JSON body that TradeAware documents. Never throws. */
export async function requestToken(request: TokenRequest): Promise<TokenAnswer> {
  const { tokenEndpoint, clientId, clientSecret, fetch = globalThis.fetch, timeoutMs, signal } = request;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
      // A redirect would carry the client secret elsewhere.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    return judge(response.status, await readAtMost(response, maxAnswerBytes));
  } catch (error) {
    // The platform's message may quote what was sent, so only its kind is told.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const kind = cause instanceof Error ? ((cause as { code?: string }).code ?? cause.name) : 'unknown';
    return {
      verdict: 'unreachable',
      reason: deadline.aborted ? `no answer within ${timeoutMs} ms` : `no answer: ${kind}`,
    };
  }
}

function judge(status: number, body: Record<string, unknown> | undefined): TokenAnswer {
  if (status === 200) {
    const { access_token: accessToken, token_type: tokenType, expires_in: expiresIn, scope } = body ?? {};
    if (typeof accessToken !== 'string' || accessToken === '') {
      return { verdict: 'unreachable', reason: 'status 200 without an access_token' };
    }
    return {
      verdict: 'accepted',
      accessToken,
      tokenType: typeof tokenType === 'string' ? tokenType : 'Bearer',
      expiresInSeconds:
        typeof expiresIn === 'number' && expiresIn > 0 ? Math.min(expiresIn, maxLifeSeconds) : undefined,
      scope: typeof scope === 'string' ? scope : undefined,
    };
  }
  const error = typeof body?.error === 'string' && /^[\w-]{1,64}$/.test(body.error) ? body.error : undefined;
  const ofTheClient = error !== undefined && errorsOfTheClient.includes(error);
  if (status === 401 || (status === 400 && ofTheClient)) return { verdict: 'rejected', status, error };
  return { verdict: 'unreachable', reason: `status ${status}${error ? ` ${error}` : ''}` };
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
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(await new Blob(chunks as BlobPart[]).arrayBuffer()));
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
