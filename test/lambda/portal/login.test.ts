import { Secret, TOTP } from 'otpauth';
import { afterEach, expect, test } from 'vitest';
import { LoginRefused, RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { type Answer, html, open, type SmallPortal, servePortal, usual } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

const seed = new Secret({ size: 20 }).base32;
const signedInCookie = { 'set-cookie': 'session=yes; Path=/; HttpOnly' };
const redirect = (location: string, headers = {}) =>
  new Response(null, { status: 303, headers: { location, ...headers } });

interface Doors {
  /** The page with the form. */
  form?: string;
  /** What follows the right password. */
  after?: (portal: SmallPortal) => Response;
  /** Asked before anything else. */
  also?: (portal: SmallPortal, login: LoginLog) => Answer;
}
interface LoginLog {
  codes: string[];
}

const onePage = `<form method="post" action="/login"><label>E-mail <input name="username" type="email"></label><label>Password <input name="password" type="password"></label><button>Log in</button></form>`;
const wrong = '<p role="alert">Wrong e-mail or password.</p>';

/** A portal behind a login: `/login` takes the form, and `/developer-tools` redirects there. */
async function behind(doors: Doors = {}): Promise<{ log: LoginLog }> {
  const log = { codes: [] as string[] };
  portal = await servePortal(usual, (it) => async (request) => {
    const { method, url, body, signedIn } = request;
    const special = await doors.also?.(it, log)(request);
    if (special) return special;
    if (url.pathname === '/login' && method === 'GET') return html(`<h1>Log in</h1>${doors.form ?? onePage}`);
    if (url.pathname === '/login' && method === 'POST') {
      const form = new URLSearchParams(body);
      const password = form.get('password');
      if (password === null)
        return html(
          `<form method="post" action="/login"><p>${form.get('username')}</p><input name="username" type="hidden" value="${form.get('username')}"><input name="password" type="password" autocomplete="current-password" placeholder="Password"><button type="submit">Continue</button></form>`,
        );
      it.logins.push(password);
      const right = form.get('username') === it.account.username && password === it.account.password;
      if (!right) return html(wrong + onePage, { status: 401 });
      return doors.after ? doors.after(it) : redirect('/developer-tools', signedInCookie);
    }
    if (url.pathname === '/developer-tools' && !signedIn) return redirect('/login');
    return undefined;
  });
  return { log };
}

async function opens(): Promise<void> {
  const tools = await open(portal);
  expect(await tools.look(signal)).toBe(portal.secret());
  await tools.close();
  expect(portal.logins).toEqual([portal.account.password]);
}

async function refusedWith(opened = portal): Promise<RotationError> {
  const error = await open(opened).then(
    () => new Error('it opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RotationError);
  const failure = error as RotationError;
  expect(failure.pressed).toBe('no');
  expect(portal.rotations).toBe(0);
  expect(portal.others).toEqual([]);
  for (const secret of [opened.account.password, portal.secret()])
    expect(`${failure.stack}${JSON.stringify(failure)}`).not.toContain(secret);
  return failure;
}

const forms: Record<string, string> = {
  labels: onePage,
  'only placeholders': `<form method="post" action="/login"><input name="username" placeholder="Email address"><input name="password" type="password" placeholder="Password"><input type="submit" value="Sign in"></form>`,
  'only autocomplete': `<form method="post" action="/login"><input name="username" autocomplete="username"><input name="password" type="password" autocomplete="current-password"><button type="submit"><svg width="9" height="9"></svg></button></form>`,
  'an identifier first': `<form method="post" action="/login"><label>Username or email <input name="username"></label><button>Continue</button><button type="button">Continue with Google</button></form>`,
  'a script for a form': `<div><input id="u" type="email"><input id="p" type="password"><div style="cursor:pointer" onclick="go()">Log in</div></div><script>async function go(){const r=await fetch('/login',{method:'POST',body:new URLSearchParams({username:u.value,password:p.value})});location.href='/developer-tools'}</script>`,
  'labels that lie in fields which are seen through': `<style>div{position:relative;height:40px}div>*{position:absolute;inset:0}input:placeholder-shown{opacity:0}</style><form method="post" action="/login"><div><span id="u">E-mail</span><input name="username" placeholder=" " aria-labelledby="u"></div><div><span id="p">Password</span><input name="password" type="password" placeholder=" " aria-labelledby="p"></div><button>Log in</button></form>`,
  'a trap for robots that is seen through': onePage.replace(
    '<label>Pass',
    '<div style="opacity:0;position:absolute;top:0;left:0"><label>E-mail again <input type="email" name="email"></label></div><label>Pass',
  ),
  'a tab of its button’s name, and no form': `<button role="tab">Log in</button><button role="tab">Sign up</button><div><label>E-mail <input id="u" type="email"></label><label>Password <input id="p" type="password"></label><button onclick="go()">Log in</button></div><script>async function go(){await fetch('/login',{method:'POST',body:new URLSearchParams({username:u.value,password:p.value})});location.href='/developer-tools'}</script>`,
  'a consent wall over it': `${onePage}<div id="w" style="position:fixed;inset:0;background:#fff9"><button onclick="w.remove()">Only necessary</button></div>`,
};

test('a login in a window over a page that is shorter, and cut off, is typed into', async () => {
  await behind({
    form: `<style>body{overflow:hidden;height:60px}</style><div role="dialog" style="position:fixed;top:300px;left:200px">${onePage}</div>`,
  });
  await opens();
});

test('a button that did nothing yet is clicked again: the password had not left the browser', async () => {
  const button = '<button type="button" id="b">Log in</button>';
  const late = '<script>setTimeout(() => { b.onclick = () => b.form.submit(); }, 1500)</script>';
  await behind({ form: onePage.replace('<button>Log in</button>', button) + late });
  await opens();
});

test('a button that never does anything is not clicked for ever', async () => {
  await behind({ form: onePage.replace('<button>Log in</button>', '<button type="button">Log in</button>') });
  expect((await refusedWith()).message).toMatch(/neither the client id/);
  expect(portal.logins).toEqual([]);
});

test.each(Object.entries(forms))('a login with %s is typed once', async (_name, form) => {
  await behind({ form });
  await opens();
});

test('a login that is never answered is an outage, and is typed once', async () => {
  let asked = 0;
  await behind({
    also:
      () =>
      ({ url, method }) =>
        url.pathname === '/login' && method === 'POST' && ++asked > 0 ? 'never' : undefined,
  });
  await expect(open(portal, { times: { pageMs: 2_000 } })).rejects.toMatchObject({
    category: 'portal-unavailable',
    retryable: true,
    pressed: 'no',
    message: expect.stringMatching(/did not answer the login within 2000 ms/),
  });
  expect(asked).toBe(1);
});

test('a login on another loopback origin is typed there', async () => {
  const other = await servePortal(
    () => '',
    () =>
      ({ url }) =>
        url.pathname === '/login'
          ? html(onePage.replace('/login', `${url.searchParams.get('back')}/login`))
          : undefined,
  );
  await behind({
    also:
      (it) =>
      ({ url, method }) =>
        url.pathname === '/login' && method === 'GET'
          ? redirect(`${other.origin.replace('127.0.0.1', 'localhost')}/login?back=${it.origin}`)
          : undefined,
  });
  await opens();
  await other.close();
});

test('pages in between are answered without staying signed in', async () => {
  const answers: string[] = [];
  await behind({
    after: () =>
      html(
        '<h1>Stay signed in?</h1><form action="/stay"><button name="stay" value="yes">Yes</button><button name="stay" value="no">No</button></form>',
      ),
    also:
      () =>
      ({ url }) => {
        if (url.pathname === '/stay') {
          answers.push(url.searchParams.get('stay') ?? '');
          return html('<h2>What’s new in March</h2><a href="/enter">Got it</a>', { headers: signedInCookie });
        }
        return url.pathname === '/enter'
          ? redirect('/home')
          : url.pathname === '/home'
            ? html('<h1>Home</h1>')
            : undefined;
      },
  });
  await opens();
  expect(answers).toEqual(['no']);
});

test.each(['top', 'tab'])('the menu leads there where the URL does not (%s)', async (target) => {
  const menu = `<nav><button aria-label="Profile" aria-haspopup="menu" onclick="m.hidden=false">AB</button><div id="m" hidden><a role="menuitem" href="/account">Manage Account</a></div></nav>`;
  await behind({
    also:
      () =>
      ({ url, signedIn }) => {
        if (!signedIn) return undefined;
        if (url.pathname === '/developer-tools' && !url.searchParams.has('really')) return redirect('/');
        if (url.pathname === '/') return html(`<h1>Home</h1>${menu}`);
        return url.pathname === '/account'
          ? html(
              `<h1>Account</h1><a ${target === 'tab' ? 'target=_blank' : ''} href="/developer-tools?really">Developer Tools</a>`,
            )
          : undefined;
      },
  });
  await opens();
});

test('a wrong password is typed once, and refused', async () => {
  await behind();
  const failure = await refusedWith({ ...portal, account: { ...portal.account, password: 'password-of-before' } });
  expect(failure).toBeInstanceOf(LoginRefused);
  expect(failure.message).toMatch(/refused the password.*typed once/);
  expect(portal.logins).toEqual(['password-of-before']);
});

const twoFactor = (
  check: (portal: SmallPortal, log: LoginLog, code: string) => boolean,
  page = '<label>Authentication code <input name="code" autocomplete="one-time-code" inputmode="numeric"></label>',
): Doors => {
  const form = (hint = '') =>
    html(`${hint}<form method="post" action="/code"><h1>Two-factor</h1>${page}<button>Verify</button></form>`);
  return {
    after: () => form(),
    also:
      (it, log) =>
      ({ url, body, method }) => {
        if (url.pathname !== '/code' || method !== 'POST') return undefined;
        const code = [...new URLSearchParams(body).values()].join('');
        log.codes.push(code);
        return check(it, log, code)
          ? redirect('/developer-tools', signedInCookie)
          : form('<p role="alert">Invalid code.</p>');
      },
  };
};
const valid = (code: string) =>
  new TOTP({ secret: Secret.fromBase32(seed) }).validate({ token: code, window: 1 }) !== null;

test.each([seed, seed.toLowerCase(), `otpauth://totp/TradeAware:x?secret=${seed}&issuer=TradeAware`])(
  'a one-time code comes from the seed (%#)',
  async (totpSecret) => {
    await behind(twoFactor((_portal, _log, code) => valid(code)));
    portal.account.totpSecret = totpSecret;
    await opens();
  },
);

const box = (attributes: string) =>
  `<input style="width:40px" ${attributes} oninput="if(this.value.length>1)this.value=this.value[0];this.nextElementSibling?.focus()">`;
const sixBoxes = (attributes = '') =>
  Array.from({ length: 6 }, (_, index) => box(`name="d${index}" ${attributes}`)).join('');
const asks = '<p>Enter the verification code</p>';
const codeFields: Record<string, string> = {
  'six boxes': asks + sixBoxes('maxlength="1" inputmode="numeric"'),
  'six boxes that tell nothing of themselves': asks + sixBoxes(),
  'six boxes that hide what is typed': asks + sixBoxes('type="password" maxlength="1"'),
  'a field in other words': '<label>Enter passcode <input name="d"></label>',
};

test.each(Object.entries(codeFields))('a code is typed into %s', async (_name, fields) => {
  await behind(twoFactor((_portal, _log, code) => valid(code), fields));
  portal.account.totpSecret = seed;
  await opens();
});

test('a refused code is followed by the next one, and by no third', async () => {
  const { log } = await behind(twoFactor(() => false));
  portal.account.totpSecret = `otpauth://totp/x?secret=${seed}&period=6`;
  const failure = await refusedWith();
  expect(failure).toBeInstanceOf(LoginRefused);
  expect(new Set(log.codes).size).toBe(2);
  expect(portal.logins).toHaveLength(1);
});

const dead: Record<string, [Doors, Partial<RotationError>, RegExp]> = {
  'a locked account': [{ after: () => html('<h1>Your account has been locked</h1>') }, { category: 'login' }, /locked/],
  'a captcha before the login': [
    { form: `<p>Please confirm that you are human.</p>${onePage}` },
    { category: 'login' },
    /captcha/,
  ],
  'a code without a seed': [twoFactor(() => true), { category: 'login' }, /totp_secret/],
  'a code by e-mail': [
    twoFactor(
      () => true,
      '<p>We have sent you a code to r***@example.com.</p><label>Verification code <input name="code"></label>',
    ),
    { category: 'login' },
    /e-mail/,
  ],
  'a passkey only': [{ form: '<button>Sign in with a passkey</button>' }, { category: 'login' }, /passkey/],
  'no permission': [
    {
      after: () => html('<h1>Access denied</h1><p>You do not have permission to view this page.</p>', { status: 403 }),
    },
    { category: 'permission' },
    /permission/,
  ],
  'no client': [
    {
      after: () =>
        html(
          `<h1>Developer Tools</h1><p>You have no client yet.</p><button onclick="other('create')">Yes, create client</button>`,
        ),
    },
    { category: 'configuration' },
    /no client/,
  ],
  'another client': [
    { after: () => html(usual({ id: 'f'.repeat(32), secret: 'xyz1234567890' })) },
    { category: 'configuration' },
    /another client id/,
  ],
  maintenance: [
    { after: () => html('<h1>Down for maintenance</h1>') },
    { category: 'portal-unavailable', retryable: true },
    /maintenance/,
  ],
  'an error of the server': [
    { after: () => html('<h1>Oops</h1>', { status: 502 }) },
    { category: 'portal-unavailable', retryable: true },
    /502/,
  ],
  'a login elsewhere': [
    { after: () => redirect('https://login.example.com/authorize') },
    { category: 'portal-changed' },
    /trustedOrigins|add "https:\/\/login\.example\.com"/,
  ],
  'endless redirects': [
    {
      after: () => redirect('/round'),
      also:
        () =>
        ({ url }) =>
          url.pathname === '/round' ? redirect('/round') : undefined,
    },
    { category: 'portal-unavailable' },
    /ERR_TOO_MANY_REDIRECTS|neither/,
  ],
};
test.each(Object.entries(dead))('%s is refused in words of its own', async (_name, [doors, expected, words]) => {
  await behind(doors);
  const failure = await refusedWith();
  expect(failure).toMatchObject(expected);
  expect(failure.message).toMatch(words);
  expect(portal.logins.length).toBeLessThanOrEqual(1);
});

test('a login form with fields for nobody is not sent empty', async () => {
  await behind({ form: onePage.replaceAll('<input', '<input tabindex="-1"') });
  await expect(open(portal, { times: { pageMs: 3_000, settleMs: 300 } })).rejects.toThrow(/pressed: no/);
  expect(portal.logins).toEqual([]);
});
