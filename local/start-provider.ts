import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type HttpBindings, serve } from '@hono/node-server';
import { Secret } from 'otpauth';
import { selfSignedCertificate } from './portal/self-signed-certificate.ts';
import { type PortalSettings, portalApps } from './portal/server.ts';
import { defaultTraits, type PortalTraits } from './portal/traits.ts';
import { type OAuthClient, type PortalLogin, Provider, type ProviderOptions } from './provider.ts';
import type { Fault, Intercept } from './secrets-manager.ts';
import { apiPath, type TokenEndpointSettings, tokenEndpointApp, tokenPath } from './token-endpoint.ts';

export type StartProviderOptions = ProviderOptions & {
  /** How the portal is built, where it differs from the documented one. With `totp`, the login gets a seed. */
  traits?: Partial<PortalTraits>;
  /** How long the portal takes to answer; a real one needs some 300 ms. @default 0 */
  portalResponseDelayMs?: number;
  tokenEndpoint?: Partial<TokenEndpointSettings>;
  /** Called before a request to the portal or the token endpoint, named `POST /path`; a fault is answered and the request has no effect. */
  intercept?: Intercept;
  /** Called when a request has had its effect; a fault is answered in place of the answer. */
  interceptAfter?: Intercept;
};

export type RunningProvider = {
  provider: Provider;
  /** As it goes into the login secret. */
  login: PortalLogin;
  client: OAuthClient;
  developerToolsUrl: string;
  loginUrl: string;
  /** The identity provider's, in use where the trait `loginOrigin` says so. */
  loginOrigin: string;
  tokenEndpoint: string;
  apiUrl: string;
  /** Both may be changed while it runs and hold from the next request on; but whether the portal has a certificate. */
  portalSettings: PortalSettings;
  tokenEndpointSettings: TokenEndpointSettings;
  /** Drops open connections and stops listening. */
  close(): Promise<void>;
};

/** Starts the portal and the token endpoint with its API, each on a port of its own on loopback. */
export async function startProvider(options: StartProviderOptions = {}): Promise<RunningProvider> {
  const traits = { ...defaultTraits, ...options.traits };
  const totpSecret = options.totpSecret ?? (traits.secondFactor === 'totp' && new Secret().base32);
  const provider = new Provider(totpSecret ? { ...options, totpSecret } : options);
  const portalSettings: PortalSettings = {
    traits,
    responseDelayMs: options.portalResponseDelayMs ?? 0,
    portalOrigin: '',
    loginOrigin: '',
  };
  const tokenEndpointSettings: TokenEndpointSettings = {
    responseDelayMs: 0,
    wrongSecretError: 'invalid_client',
    outage: false,
    ...options.tokenEndpoint,
  };
  const tokens = await listen(intercepted(tokenEndpointApp(provider, tokenEndpointSettings), options));
  const apps = portalApps(provider, portalSettings);
  const portal = await listen(intercepted(apps.portal, options), traits.obstacle === 'self-signed-certificate');
  const login = await listen(intercepted(apps.login, options));
  Object.assign(portalSettings, { portalOrigin: portal.origin, loginOrigin: login.origin });
  return {
    provider,
    login: provider.login,
    client: provider.client,
    developerToolsUrl: `${portal.origin}/account/developer-tools`,
    loginUrl: `${portal.origin}/login`,
    loginOrigin: login.origin,
    tokenEndpoint: tokens.origin + tokenPath,
    apiUrl: tokens.origin + apiPath,
    portalSettings,
    tokenEndpointSettings,
    close: async () => {
      await Promise.all([portal.close(), login.close(), tokens.close()]);
    },
  };
}

type App = { fetch: Parameters<typeof serve>[0]['fetch'] };

/** The app with the hooks around it. */
function intercepted(app: App, { intercept, interceptAfter }: StartProviderOptions): App {
  const refuse = (fault: Fault, { incoming }: HttpBindings) => {
    if (fault !== 'drop')
      return new Response(fault.message, { status: fault.status, ...(fault.headers && { headers: fault.headers }) });
    incoming.socket.destroy();
    return new Response();
  };
  return {
    async fetch(request, bindings) {
      const name = `${request.method} ${new URL(request.url).pathname}`;
      const before = await intercept?.(name, undefined);
      if (before) return refuse(before, bindings as HttpBindings);
      const answer = await app.fetch(request, bindings);
      const after = await interceptAfter?.(name, undefined);
      return after ? refuse(after, bindings as HttpBindings) : answer;
    },
  };
}

async function listen(app: App, selfSigned = false): Promise<{ origin: string; close(): Promise<void> }> {
  const options = { fetch: app.fetch, hostname: '127.0.0.1', port: 0, overrideGlobalObjects: false };
  const tls = { createServer, serverOptions: selfSignedCertificate() };
  const server = serve(selfSigned ? { ...options, ...tls } : options) as Server;
  await once(server, 'listening');
  return {
    origin: `${selfSigned ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
