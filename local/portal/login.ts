/**
 * The login, as the portal itself or an identity provider on another origin serves it: the password, then what has to
 * follow it, each a page of its own.
 */
import { randomBytes } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { Provider } from '../provider.ts';
import { type Html, htmlDocument, icon, logo, type PageContext, scene } from './layout.ts';
import type { Text } from './texts.ts';
import type { PortalTraits } from './traits.ts';

/** Public-looking, never contacted: names below `.invalid` do not exist (RFC 6761 section 6.4). */
export const foreignLoginUrl = 'https://login.example.invalid/authorize';

type LoginState = { returnTo: string; username?: string; flow?: string; error?: Text };
type Step = (page: PageContext, state: LoginState) => Html;
type Field = { name: string; label: Text; type: string; autocomplete: string; value?: string | undefined };

/** Without a label of its own, a field may have a text beside it that is not tied to it, and a name that says nothing. */
const fields: Record<PortalTraits['loginFields'], (field: Field, label: string) => Html> = {
  labelled: ({ name, type, autocomplete, value }, label) => html`<label for="${name}">${label}</label>
    <input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${value ?? ''}" required>`,
  'placeholder-only': ({ name, type, value }, label) =>
    html`<input name="${fieldNames[name]}" type="${type === 'password' ? type : 'text'}" placeholder="${label}" value="${value ?? ''}" required>`,
  'autocomplete-only': ({ name, type, autocomplete, value }, label) => html`<span class="label">${label}</span>
    <input name="${fieldNames[name]}" type="${type === 'password' ? type : 'text'}" autocomplete="${autocomplete}" value="${value ?? ''}" required>`,
  'type-only': ({ name, type, value }, label) => html`<span class="label">${label}</span>
    <input name="${fieldNames[name]}" type="${type}" value="${value ?? ''}" required>`,
};
const fieldNames: Record<string, string> = { username: 'f1', password: 'f2', code: 'f3' };

const field = ({ traits, t }: PageContext, spec: Field) => fields[traits.loginFields](spec, t(spec.label));
const username = (page: PageContext, value?: string) =>
  field(page, { name: 'username', label: 'Email address', type: 'email', autocomplete: 'username', value });
const password = (page: PageContext) =>
  field(page, { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' });
const captcha = ({ t, traits }: PageContext) =>
  traits.obstacle === 'captcha'
    ? html`<fieldset class="captcha"><legend>${t('Verify that you are human')}</legend>${scene}
    <label for="captcha">${t('Enter the characters shown above')}</label><input id="captcha" name="captcha" autocomplete="off" required></fieldset>`
    : '';

const submit = ({ t }: PageContext, label: Text) => html`<button class="primary wide">${t(label)}</button>`;

const steps = {
  'one-page': (page, state) =>
    html`${username(page, state.username)}${password(page)}${captcha(page)}${submit(page, 'Log in')}`,
  'identifier-first': (page, state) =>
    html`${username(page, state.username)}${captcha(page)}${submit(page, 'Continue')}`,
  password: (page, state) => html`<p class="muted">${state.username}</p>
    <input type="hidden" name="username" value="${state.username ?? ''}">${password(page)}${submit(page, 'Continue')}`,
  code: (
    page,
  ) => html`<p>${page.t(page.traits.obstacle === 'email-code' ? 'We have sent a code to your email address.' : 'Enter the code that your authenticator app shows.')}</p>
    ${field(page, { name: 'code', label: 'One-time code', type: 'text', autocomplete: 'one-time-code' })}${submit(page, 'Continue')}`,
  'stay-signed-in': ({ t }) => html`<h2>${t('Stay signed in?')}</h2>
    <p>${t('You will be asked to log in less often on this device.')}</p><div class="actions">
    <button name="stay" value="no">${t('No')}</button><button class="primary" name="stay" value="yes">${t('Yes')}</button></div>`,
} satisfies Record<string, Step>;

const onlyButton = (label: Text): Step => {
  return ({ t }) => html`<button type="button" class="wide">${icon('person')}${t(label)}</button>`;
};
const withoutPassword: Partial<Record<PortalTraits['obstacle'], Step>> = {
  'passkey-only': onlyButton('Continue with a passkey'),
  'sso-only': onlyButton('Continue with single sign-on'),
};

function loginPage(page: PageContext, step: keyof typeof steps, state: LoginState): Html {
  const { t, traits } = page;
  return htmlDocument(
    page,
    t('Log in'),
    html`<div class="login"><main>${logo}<h1>${t('Welcome back')}</h1>
  <p class="muted">${t('Log in to your TradeAware account.')}</p>
  ${state.error ? html`<p class="alert" role="alert">${icon('warning')}${t(state.error)}</p>` : ''}
  <form method="post" action="/login${state.flow && `/${step}`}"><input type="hidden" name="return_to" value="${state.returnTo}">
  <input type="hidden" name="flow" value="${state.flow ?? ''}">${(withoutPassword[traits.obstacle] ?? steps[step])(page, state)}</form>
  <p class="muted small">${t("Trouble logging in? Contact your organisation's administrator.")}</p></main>
  <aside>${scene}<p>${t('Know the land behind every shipment.')}</p></aside></div>`,
  );
}

/** To be mounted at `/login`. `finish` answers when all steps are done; `return_to` is handed to it as it came. */
export function loginApp(
  provider: Provider,
  pageContext: (c: Context) => PageContext,
  finish: (c: Context, returnTo: string) => Response,
): Hono {
  type Flow = { returnTo: string; left: (keyof typeof steps)[] };
  const flows = new Map<string, Flow>();
  const app = new Hono();

  const proceed = (c: Context, flow: Flow) => {
    const [next] = flow.left;
    if (!next) return finish(c, flow.returnTo);
    const id = randomBytes(16).toString('base64url');
    flows.set(id, flow);
    return c.redirect(`/login/${next}?flow=${id}`, 303);
  };

  app.get('/', (c) => {
    const page = pageContext(c);
    if (page.traits.obstacle === 'foreign-login-origin') return c.redirect(foreignLoginUrl);
    return c.html(loginPage(page, page.traits.login, { returnTo: c.req.query('return_to') ?? '' }));
  });

  app.post('/', async (c) => {
    const page = pageContext(c);
    const { login, obstacle, secondFactor, interstitial } = page.traits;
    const given = await c.req.parseBody();
    const state = { returnTo: String(given.return_to ?? ''), username: String(given.username ?? given.f1 ?? '') };
    const typed = given.password ?? given.f2;
    if (typed === undefined && login === 'identifier-first') return c.html(loginPage(page, 'password', state));
    const again = (error: Text, status: 401 | 403) =>
      c.html(loginPage(page, login === 'one-page' ? login : 'password', { ...state, error }), status);
    if (obstacle === 'captcha') return again('Enter the characters shown above', 403);
    // A locked account refuses the right password too.
    const succeeded = provider.signIn(state.username, obstacle === 'account-locked' ? '' : String(typed ?? ''));
    if (obstacle === 'account-locked') return again('Your account is locked after too many failed logins.', 403);
    if (!succeeded) return again('Wrong email or password.', 401);
    const left: Flow['left'] = [];
    if (secondFactor === 'totp' || obstacle === 'totp-asked' || obstacle === 'email-code') left.push('code');
    if (interstitial === 'stay-signed-in') left.push('stay-signed-in');
    return proceed(c, { returnTo: state.returnTo, left });
  });

  app.on(['GET', 'POST'], '/:step{code|stay-signed-in}', async (c) => {
    const page = pageContext(c);
    const step = c.req.param('step') as keyof typeof steps;
    const given = await c.req.parseBody();
    const id = c.req.query('flow') ?? String(given.flow);
    const flow = flows.get(id);
    if (flow?.left[0] !== step) return c.redirect('/login');
    const state = { returnTo: flow.returnTo, flow: id };
    if (c.req.method === 'GET') return c.html(loginPage(page, step, state));
    const accepted = step !== 'code' || provider.enterCode(String(given.code ?? given.f3));
    if (!accepted || (step === 'code' && page.traits.obstacle === 'email-code')) {
      return c.html(loginPage(page, step, { ...state, error: 'This code is wrong or has expired.' }), 401);
    }
    flows.delete(id);
    return proceed(c, { returnTo: flow.returnTo, left: flow.left.slice(1) });
  });
  return app;
}
