/**
 * The simulated TradeAware web app: the only way to rotate. Written from the provider's public documentation
 * ("Rotate client secret"): log in, Developer Tools, Danger Zone, Rotate Secret, the dialog, the field.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { csrf } from 'hono/csrf';
import { NONCE, secureHeaders } from 'hono/secure-headers';
import type { Provider } from '../provider.ts';
import { type DeveloperToolsState, developerToolsPage } from './developer-tools-page.ts';
import { developerToolsPath, messagePage, type PageContext, sections } from './layout.ts';
import { loginApp } from './login.ts';
import { emptyPage, overviewPage, profilePage } from './pages.ts';
import { translate } from './texts.ts';
import type { PortalTraits } from './traits.ts';

/** Read at every request, so that a test may change them while the portal runs. */
export type PortalSettings = {
  traits: PortalTraits;
  /** How long every answer takes, after its effect. */
  responseDelayMs: number;
  /** Where the two apps are served. */
  portalOrigin: string;
  loginOrigin: string;
};

type PortalEnv = {
  Bindings: HttpBindings;
  Variables: { csrfToken: string; flash: string | undefined; secureHeadersNonce?: string };
};
type PortalApp = Hono<PortalEnv>;
const sessionCookie = 'tradeaware_session';
/** How long the field shows the old secret where the new one comes `later`. */
export const laterMs = 1_000;

/** The portal as a web app over the provider's state, and the identity provider. Sessions live in memory. */
export function portalApps(provider: Provider, settings: PortalSettings): { portal: PortalApp; login: PortalApp } {
  const sessions = new Map<string, { csrfToken: string; flash?: string | undefined }>();
  /** The identity provider's, not yet redeemed. */
  const codes = new Set<string>();
  let resetOnce = false;

  const pageContext = (c: Context): PageContext => ({
    path: c.req.path,
    username: provider.login.username,
    csrfToken: c.get('csrfToken') ?? '',
    nonce: c.get('secureHeadersNonce') ?? '',
    traits: settings.traits,
    t: translate(settings.traits.language),
    flash: c.get('flash'),
    loginOrigin: settings.loginOrigin,
  });

  function openSession(c: Context): string {
    const session = randomBytes(32).toString('base64url');
    sessions.set(session, { csrfToken: randomBytes(32).toString('base64url') });
    setCookie(c, sessionCookie, session, { httpOnly: true, sameSite: 'Lax', path: '/' });
    return session;
  }

  function enter(c: Context, returnTo: string): Response {
    openSession(c);
    // Only a path of our own: a login must not redirect to wherever a link says.
    const leadsBack = settings.traits.arrival !== 'lands-on-home' && /^\/(?![/\\])/.test(returnTo);
    return c.redirect(leadsBack ? returnTo : '/overview');
  }

  function baseApp(): PortalApp {
    const app: PortalApp = new Hono();
    app.use(async (c, next) => {
      await next();
      await delay(settings.responseDelayMs, undefined, { ref: false });
      c.header('Cache-Control', 'no-store');
      // Chromium sends a request again, a POST too, where a connection that was in use before is reset.
      if (/^reset-with/.test(settings.traits.outcome)) c.header('Connection', 'close');
    });
    app.use(
      secureHeaders({
        referrerPolicy: 'same-origin',
        contentSecurityPolicy: {
          defaultSrc: ["'none'"],
          scriptSrc: [NONCE],
          styleSrc: [NONCE],
          imgSrc: ['data:'],
          connectSrc: ["'self'"],
          // A form may lead to the other app by a redirect.
          formAction: ["'self'", () => settings.portalOrigin, () => settings.loginOrigin],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      }),
    );
    app.use(csrf());
    return app;
  }

  const login = baseApp();
  login.get('/authorize', (c) => c.redirect(`/login?return_to=${encodeURIComponent(c.req.query('state') ?? '')}`));
  login.route(
    '/login',
    loginApp(provider, pageContext, (c, state) => {
      const code = randomBytes(16).toString('base64url');
      codes.add(code);
      return c.redirect(`${settings.portalOrigin}/callback?code=${code}&state=${encodeURIComponent(state)}`);
    }),
  );
  // Where a hostile page sends people.
  login.get('/elsewhere', (c) => {
    provider.otherClick('popup-opened');
    return c.text('');
  });
  login.get('/basic-auth', (c) => {
    if (c.req.header('authorization')) provider.otherClick('credentials-given');
    return c.text('Unauthorized', 401, { 'WWW-Authenticate': 'Basic realm="TradeAware"' });
  });

  const portal = baseApp();
  portal.use(async (c, next) => {
    if (settings.traits.obstacle !== 'maintenance') return next();
    const page = pageContext(c);
    const text = page.t('We are down for maintenance and will be back soon.');
    return c.html(messagePage(page, page.t('Maintenance'), text), 503, { 'Retry-After': '3600' });
  });
  portal.get('/login', async (c, next) => {
    if (settings.traits.loginOrigin === 'same') return next();
    const parameters = new URLSearchParams({
      response_type: 'code',
      client_id: 'tradeaware-web-app',
      redirect_uri: `${settings.portalOrigin}/callback`,
      state: c.req.query('return_to') ?? '',
    });
    return c.redirect(`${settings.loginOrigin}/authorize?${parameters}`);
  });
  portal.route('/login', loginApp(provider, pageContext, enter));
  portal.get('/callback', (c) => {
    if (!codes.delete(c.req.query('code') ?? '')) return c.redirect('/login');
    return enter(c, c.req.query('state') ?? '');
  });

  portal.use(async (c, next) => {
    const cookie = getCookie(c, sessionCookie) ?? '';
    const known = sessions.has(cookie) || settings.traits.session === 'none' ? cookie : openSession(c);
    const session = sessions.get(known);
    if (!session) {
      if (c.req.method === 'GET') return c.redirect(`/login?return_to=${encodeURIComponent(c.req.path)}`);
      if (isForm(c)) return c.redirect(`/login?return_to=${developerToolsPath(settings.traits)}`, 303);
      return c.json({ message: pageContext(c).t('Your session has expired.') }, 401);
    }
    if (c.req.method !== 'GET') {
      const given = c.req.header('x-csrf-token') ?? (await c.req.parseBody()).csrf_token;
      if (given !== session.csrfToken) {
        return c.json({ message: pageContext(c).t('This page is out of date. Reload it and try again.') }, 403);
      }
    } else if (c.req.header('sec-fetch-dest') === 'document') {
      c.set('flash', session.flash);
      delete session.flash;
    }
    c.set('csrfToken', session.csrfToken);
    return next();
  });

  portal.get('/', (c) => c.redirect('/overview'));
  portal.get('/overview', (c) => c.html(overviewPage(pageContext(c))));
  for (const path of Object.keys(sections)) portal.get(path, (c) => c.html(emptyPage(pageContext(c))));
  portal.get('/account', (c) => c.html(profilePage(pageContext(c))));
  portal.get('/account/export.csv', (c) => {
    return c.text('reference\n', 200, { 'Content-Disposition': 'attachment; filename="export.csv"' });
  });
  portal.post('/logout', (c) => {
    sessions.delete(deleteCookie(c, sessionCookie) ?? '');
    return c.redirect('/login');
  });

  function developerToolsState(): DeveloperToolsState {
    const { client, otherClient, tokenLifetimeSeconds } = provider;
    const { newSecret, hostility } = settings.traits;
    const shown = newSecret === 'later' ? provider.shownSecret(laterMs) : provider.shownSecret();
    const clientSecret = hostility === 'huge-secret' ? 'A'.repeat(10_000_000) : shown;
    return { client: { ...client, clientSecret }, otherClient, tokenLifetimeHours: tokenLifetimeSeconds / 3600 };
  }

  const documented = '/account/developer-tools';
  for (const path of [documented, '/settings/developer-tools']) {
    portal.on('GET', [path, `${path}/api-access`, `${path}/webhooks`], (c, next) => {
      const page = pageContext(c);
      const { t, traits } = page;
      if (developerToolsPath(traits) !== path)
        return traits.arrival === 'moved-home' ? c.redirect('/overview') : next();
      if (traits.hostility === 'endless-redirects') return c.redirect(`${path}?${randomBytes(6).toString('hex')}`);
      if (traits.hostility === 'basic-auth-elsewhere') return c.redirect(`${settings.loginOrigin}/basic-auth`);
      if (traits.obstacle === 'http-500') {
        return c.html(messagePage(page, t('Something went wrong'), t('An error occurred on our side.')), 500);
      }
      if (traits.obstacle === 'no-permission') {
        const text = t('You do not have permission to view this page. Ask an administrator of your organisation.');
        return c.html(messagePage(page, t('Access denied'), text), 403);
      }
      return c.html(developerToolsPage(page, developerToolsState()));
    });
  }

  portal.get(`${documented}/client`, (c) => {
    const { client, otherClient } = developerToolsState();
    const shown = settings.traits.obstacle === 'other-client-id' ? otherClient : client;
    return c.json({
      client_id: shown.clientId,
      client_secret: shown.clientSecret,
      other_client_id: otherClient.clientId,
      other_client_secret: otherClient.clientSecret,
    });
  });

  portal.post(`${documented}/rotate-secret`, (c) => {
    const { t, traits } = pageContext(c);
    let { outcome } = traits;
    if (outcome === 'reset-and-sent-again') {
      outcome = resetOnce ? 'ok' : 'reset-with-effect';
      resetOnce = true;
    }
    provider.rotateRequested();
    if (outcome === 'ok' || outcome.endsWith('-with-effect')) provider.rotate();
    switch (outcome) {
      case 'ok': {
        const message = t('Client secret rotated');
        if (!isForm(c)) return c.json({ client_secret: developerToolsState().client.clientSecret, message });
        const session = sessions.get(getCookie(c, sessionCookie) ?? '');
        if (session) session.flash = message;
        return c.redirect(developerToolsPath(traits) + (traits.entries === 'none' ? '' : '/api-access'), 303);
      }
      case '500-with-effect':
      case '500-without-effect':
        return failed(c, t('An error occurred on our side.'), 500);
      case 'dialog-error':
        return failed(c, t('The client secret could not be rotated. Try again later.'), 409);
      case 'session-expired':
        sessions.delete(getCookie(c, sessionCookie) ?? '');
        if (isForm(c)) return c.redirect(`/login?return_to=${developerToolsPath(traits)}`, 303);
        return c.json({ message: t('Your session has expired.') }, 401);
      case 'reset-with-effect':
      case 'reset-without-effect':
        c.env.incoming.socket.resetAndDestroy();
        return new Promise<Response>(() => {});
      case 'no-answer-with-effect':
      case 'no-answer-without-effect':
        return new Promise<Response>(() => {});
    }
  });
  portal.post(`${documented}/clicks/:button`, (c) => {
    provider.otherClick(c.req.param('button'));
    return c.body(null, 204);
  });
  portal.post(`${documented}/:danger`, (c) => {
    provider.otherClick(`confirm-${c.req.param('danger')}`);
    return failed(c, pageContext(c).t('Only an administrator of your organisation can do this.'), 403);
  });

  /** To a form a page, to a script JSON. */
  function failed(c: Context, message: string, status: 403 | 409 | 500): Response | Promise<Response> {
    if (!isForm(c)) return c.json({ message }, status);
    const page = pageContext(c);
    return c.html(messagePage(page, page.t('Something went wrong'), message), status);
  }

  portal.notFound((c) => {
    const page = pageContext(c);
    return c.html(messagePage(page, page.t('Page not found'), page.t('This page has moved or never existed.')), 404);
  });
  return { portal, login };
}

function isForm(c: Context): boolean {
  return c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded') ?? false;
}
