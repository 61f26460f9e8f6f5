/** Pages on which nothing may be pressed, each with what the refusal has to say. */
import { type Lab, type OtherPortal, page, to } from './server.ts';

const form = (message = '', extra = '') =>
  `<h1>Sign in</h1>${message && `<div role="alert" class="alert">${message}</div>`}<form method="post" action="/login"><label>Email <input type="email" name="email"></label><label>Password <input type="password" name="password"></label><button type="submit">Sign in</button></form>${extra}`;

type Tools = (lab: Lab) => string;
const client = ({ account, secret }: Lab) =>
  `<h1>Developer Tools</h1><dl><dt>Client ID</dt><dd>${account.clientId}</dd><dt>Client Secret</dt><dd><code>${secret}</code></dd></dl>`;
const zone = (rows: string) =>
  `<section><h2><button aria-expanded="false" aria-controls="z" onclick="this.setAttribute('aria-expanded','true');z.hidden=false">Danger Zone</button></h2><div id="z" hidden>${rows}</div></section>`;
const row = (title: string, button: string, does: string) =>
  `<div class="row"><div><h3>${title}</h3><p>Please be certain.</p></div><button onclick="${does}">${button}</button></div>`;
const wrong = "fetch('/wrong',{method:'POST'})";
const dialog = (content: string) =>
  `<dialog id="d">${content}<button onclick="d.close()">Cancel</button><button onclick="fetch('/api/rotate',{method:'POST'})">Rotate</button></dialog>`;
const usual = row('Rotate Secret', 'Rotate', 'd.showModal()') + row('Delete client', 'Delete', wrong);

const refused = (
  [category, says]: [Extract<OtherPortal['expect'], object>['category'], RegExp],
  tools: Tools,
  more: Partial<OtherPortal> = {},
): OtherPortal => ({
  expect: { category, says },
  signedIn: true,
  app:
    (lab) =>
    ({ method, url }) =>
      method === 'GET' && !url.pathname.startsWith('/api') ? page(tools(lab), { title: 'TradeAware' }) : undefined,
  ...more,
});
const atLogin = (
  category: [Extract<OtherPortal['expect'], object>['category'], RegExp],
  answer: (lab: Lab) => Response,
  first?: string,
): OtherPortal => ({
  expect: { category: category[0], says: category[1] },
  app:
    (lab) =>
    ({ method, url, form: sent, signedIn }) => {
      if (url.pathname === '/login' && method === 'POST') {
        lab.knows(sent.get('email'), sent.get('password'));
        return answer(lab);
      }
      if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
      return signedIn ? answer(lab) : page(first ?? form());
    },
});

export const portals: Record<string, OtherPortal> = {
  'wrong password, “incorrect”': atLogin(['login', /refused the password/], () =>
    page(form('Your login details are incorrect. Please check your spelling.')),
  ),
  'wrong password, “don’t recognise”': atLogin(['login', /refused the password/], () =>
    page(form('We don’t recognise that email and password combination.')),
  ),
  'wrong password, said only by a red frame': atLogin(['login', /refused the password/], () =>
    page(form().replace('type="password"', 'type="password" aria-invalid="true" style="border:1px solid red"')),
  ),
  'wrong password in a SPA toast': {
    expect: { category: 'login', says: /refused the password/ },
    app:
      () =>
      ({ method, url }) => {
        if (url.pathname === '/api/session') return Response.json({}, { status: 401 });
        if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
        return page(
          `${form()}<div id="t" role="status"></div><script>document.forms[0].onsubmit=async(e)=>{e.preventDefault();await fetch('/api/session',{method:'POST'});t.textContent="Login unsuccessful. Check your credentials and try again."}</script>`,
        );
      },
  },
  'locked: too many failed attempts': atLogin(['login', /locked/], () =>
    page(
      form(
        'Your account has been temporarily blocked after multiple failed login attempts. We sent you an email with instructions to unblock it.',
      ),
    ),
  ),
  'locked in other words': atLogin(['login', /locked/], () =>
    page('<h1>Account locked</h1><p>For your security we have locked this account. Contact support.</p>'),
  ),
  'turnstile widget in the form': atLogin(
    ['login', /captcha/],
    () => page(form()),
    form('', '<div class="cf-turnstile"><p>Verify you are human</p></div>'),
  ),
  'reCAPTCHA frame after the login': atLogin(['login', /captcha/], () =>
    page(
      '<h1>One more step</h1><p>Please confirm that you are not a bot to go on.</p><iframe title="reCAPTCHA" src="/recaptcha/api2/anchor" width="304" height="78"></iframe>',
    ),
  ),
  'code by text message': atLogin(['login', /e-mail or message/], () =>
    page(
      '<h1>Verify your identity</h1><p>We’ve sent a text message to XXXXXX1234</p><form><label>Enter the 6-digit code <input name="code" inputmode="numeric"></label><button>Continue</button></form>',
    ),
  ),
  'a second factor to be set up, with a seed at hand': {
    ...atLogin(['login', /second factor to be set up/], () =>
      page(
        '<h1>Secure your account</h1><p>Scan the QR code below with your authenticator app, then enter the code.</p><form method="post" action="/enrol"><label>Enter your one-time code <input name="code" inputmode="numeric"></label><button>Continue</button></form>',
      ),
    ),
    totp: true,
  },
  'password expired': atLogin(['login', /another password to be chosen/], () =>
    page(
      '<h1>Update your password</h1><p>Your password has expired. You need to change it to continue.</p><form method="post" action="/change"><label>New password <input type="password"></label><label>Confirm password <input type="password"></label><button>Update password</button></form>',
    ),
  ),
  'passkey only': atLogin(
    ['login', /passkey/],
    () => page(''),
    '<h1>Sign in</h1><p>Use your device to sign in securely.</p><button>Sign in with a passkey</button><button>Sign in with Google</button>',
  ),
  'work SSO only': atLogin(
    ['login', /passkey|another provider/],
    () => page(''),
    '<h1>Log in</h1><button>Log in with SSO</button>',
  ),
  'no permission in their words': refused(
    ['permission', /no permission/],
    () => '<h1>403</h1><p>You need the Developer role to see this page. Contact an owner of your organisation.</p>',
  ),
  'a bare 403 before any login': {
    ...refused(['portal-unavailable', /answered 403 .* before it asked for a login/], () => ''),
    app: () => () => page('<h1>Nope</h1>', { status: 403 }),
  },
  'no client yet': refused(
    ['configuration', /no client/],
    () =>
      `<h1>Developer Tools</h1><p>You do not have a machine-to-machine client. Do you want to create one?</p><button onclick="${wrong}">Yes, create client</button>`,
  ),
  'another client': refused(
    ['configuration', /another client id/],
    (lab) =>
      client({ ...lab, account: { ...lab.account, clientId: lab.otherId } }) +
      zone(usual) +
      dialog('<h2>Rotate secret?</h2>'),
  ),
  'dialog about deleting': refused(
    ['portal-changed', /something else than rotating/],
    (lab) =>
      client(lab) +
      zone(usual) +
      dialog('<h2>Rotate and remove</h2><p>Rotating will permanently delete the existing client and its data.</p>'),
  ),
  'dialog about tokens': refused(
    ['portal-changed', /something else than rotating/],
    (lab) =>
      client(lab) +
      zone(usual) +
      dialog('<h2>Rotate</h2><p>Rotating also revokes all active access tokens of your organisation.</p>'),
  ),
  'dialog about tokens, passive': refused(
    ['portal-changed', /something else than rotating/],
    (lab) =>
      client(lab) +
      zone(usual) +
      dialog(
        '<h2>Rotate</h2><p>Every token that was issued so far gets invalidated. All sessions are terminated and all tokens revoked.</p>',
      ),
  ),
  'dialog about money': refused(
    ['portal-changed', /something else than rotating/],
    (lab) =>
      client(lab) + zone(usual) + dialog('<h2>Rotate secret</h2><p>Additional rotations are billed at €5 each.</p>'),
  ),
  'dialog about the webhook key': refused(
    ['portal-changed', /dialog/],
    (lab) =>
      client(lab) +
      zone(usual) +
      dialog('<h2>Rotate webhook signing key?</h2><p>Webhook deliveries will be signed with a new key.</p>'),
  ),
  'two rows to rotate': refused(
    ['portal-changed', /2 matches/],
    (lab) =>
      client(lab) +
      zone(row('Rotate Secret', 'Rotate', 'd.showModal()') + row('Rotate secret (legacy)', 'Rotate', wrong)) +
      dialog('<h2>Rotate secret?</h2>'),
  ),
  'only the webhook key rotates': refused(
    ['portal-changed', /no button "Rotate"/],
    (lab) => client(lab) + zone(row('Rotate webhook secret', 'Rotate', wrong) + row('Delete client', 'Delete', wrong)),
  ),
  'only the tokens rotate, in a secret section': refused(
    ['portal-changed', /no button "Rotate"/],
    (lab) => client(lab) + zone(`<h3>Secrets</h3>${row('Rotate Secret Manager connection', 'Rotate', wrong)}`),
  ),
  'the button says Delete': refused(
    ['portal-changed', /no button "Rotate"/],
    (lab) => client(lab) + zone(row('Rotate Secret', 'Delete', wrong)),
  ),
  'login on a foreign host': {
    ...refused(['portal-changed', /login\.example\.net/], () => ''),
    app: () => () => to('http://login.example.net/authorize?state=1'),
  },
  'maintenance with 503': {
    ...refused(['portal-unavailable', /503/], () => ''),
    app: () => () => page('<h1>We’ll be right back</h1>', { status: 503 }),
  },
  'maintenance with 200': refused(
    ['portal-unavailable', /maintenance/],
    () =>
      '<h1>Scheduled maintenance</h1><p>TradeAware is currently offline for maintenance. We expect to be back at 06:00 UTC.</p>',
  ),
  'confirm button asks for the password again': refused(
    ['portal-changed', /password/],
    (lab) =>
      client(lab) +
      zone(usual) +
      dialog('<h2>Rotate secret</h2><p>Confirm access</p><label>Password <input type="password"></label>'),
  ),
  'a rotation at once': refused(
    ['portal-changed', /held back/],
    (lab) => client(lab) + zone(row('Rotate Secret', 'Rotate', "fetch('/api/rotate',{method:'POST'})")),
  ),
};
