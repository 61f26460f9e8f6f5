/**
 * The provider's token endpoint (OAuth 2.0 client credentials grant with a JSON body, as TradeAware documents it) and
 * an API that checks the tokens.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Hono } from 'hono';
import { type Provider, statements } from './provider.ts';

/** Read at every request, so that a test may change them while the endpoint runs. */
export type TokenEndpointSettings = {
  /** How long every answer takes. */
  responseDelayMs: number;
  /** The 401 code for a wrong secret: RFC 6749's, or the one with which Auth0 answers. */
  wrongSecretError: 'invalid_client' | 'access_denied';
  /** Answers 503 to everything, without a look at the credentials. */
  outage: boolean;
  /** A client secret that the provider shows and yet does not accept: a provider that is broken. */
  rejects?: (clientSecret: string) => boolean;
};

export const tokenPath = '/auth/machine-to-machine-clients/token';
export const apiPath = '/api/v1/statements';

/**
 * `POST` {@link tokenPath} and `GET` {@link apiPath}.
 * @see RFC 6749 sections 4.4 and 5.2 (answers and errors), RFC 6750 section 3 (the API's 401)
 */
export function tokenEndpointApp(provider: Provider, settings: TokenEndpointSettings): Hono {
  const app = new Hono();

  app.use(async (c, next) => {
    if (settings.outage) c.res = c.text('Service Unavailable', 503);
    else await next();
    await delay(settings.responseDelayMs, undefined, { ref: false });
    c.header('Cache-Control', 'no-store');
    c.header('Pragma', 'no-cache');
  });

  app.post(tokenPath, async (c) => {
    const isJson = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() === 'application/json';
    const body: unknown = isJson ? await c.req.json().catch(() => undefined) : undefined;
    const { grant_type, client_id, client_secret } = (body ?? {}) as Record<string, unknown>;
    if (typeof grant_type !== 'string' || typeof client_id !== 'string' || typeof client_secret !== 'string') {
      const error_description = 'a JSON object with the strings grant_type, client_id and client_secret is required';
      return c.json({ error: 'invalid_request', error_description }, 400);
    }
    if (grant_type !== 'client_credentials') return c.json({ error: 'unsupported_grant_type' }, 400);
    const answer = settings.rejects?.(client_secret) ? undefined : provider.mintToken(client_id, client_secret);
    if (!answer) return c.json({ error: settings.wrongSecretError, error_description: 'Unauthorized' }, 401);
    return c.json(answer);
  });

  app.get(apiPath, (c) => {
    const token = c.req.header('authorization')?.match(/^Bearer (\S+)$/i)?.[1];
    if (token && provider.acceptsToken(token)) return c.json({ statements, next_cursor: null });
    c.header('WWW-Authenticate', `Bearer realm="TradeAware"${token ? ', error="invalid_token"' : ''}`);
    return c.json({ message: 'Unauthorized' }, 401);
  });

  return app;
}
