import type { AccessTokenSource } from './client-credentials-tokens.ts';

/**
 * A fetch that sends the source's token as `Authorization`, and once more with another token where the first is answered with 401. A body
 * that can be read only once (a stream, or a Request that has a body) is sent once. Throws what `fetch` and the source's `getToken` throw.
 *
 * The platform's fetch takes `Authorization` off when it follows a redirect to another origin; so must one of your own.
 *
 * @see RFC 6750 section 2.1; Fetch standard, "HTTP-redirect fetch"
 */
export function withAccessToken(
  source: Pick<AccessTokenSource, 'getToken' | 'invalidate'>,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): typeof globalThis.fetch {
  return async (input, init) => {
    // Of whatever implementation: `fetch` may come with a Request of its own.
    const request = typeof input === 'object' && 'headers' in input ? input : undefined;
    const signal = init?.signal ?? request?.signal;
    const getToken = () => (signal ? source.getToken({ signal }) : source.getToken());
    const send = (access: { tokenType: string; token: string }) => {
      const headers = new Headers(init?.headers ?? request?.headers);
      // The scheme has no case, but not every API knows.
      const scheme = /^bearer$/i.test(access.tokenType) ? 'Bearer' : access.tokenType;
      headers.set('authorization', `${scheme} ${access.token}`);
      return fetch(input, { ...init, headers });
    };

    const first = await getToken();
    const refused = await send(first);
    if (refused.status !== 401) return refused;
    // Redirected to an origin that was not sent the token: its refusal says nothing of it.
    if (refused.redirected && new URL(refused.url).origin !== new URL(request?.url ?? String(input)).origin)
      return refused;
    source.invalidate(first.token);
    if (!canBeSentAgain(init?.body ?? request?.body)) return refused;
    // Without another token the API's own answer tells more than why there is none.
    const second = await getToken().catch(() => first);
    signal?.throwIfAborted();
    if (second.token === first.token) return refused;
    await refused.body?.cancel().catch(() => undefined);
    return send(second);
  };
}

/** A Request's body is a stream, whatever it was made from. Iterables of chunks, which Node takes, are read only once as well. */
function canBeSentAgain(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}
