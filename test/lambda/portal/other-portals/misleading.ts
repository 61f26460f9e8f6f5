/** Pages that look like something else: another row's "Rotate", forms that are no login, words that are not about this page. */
import { type Asked, type Handler, type Lab, type OtherPortal, page, session, to } from './server.ts';

const bad = (name: string) => `fetch('/${name}',{method:'POST'})`;
const id = ({ account }: Lab) => `<label>Client ID <input readonly value="${account.clientId}"></label>`;
const secret = (lab: Lab) => `<label>Client Secret <input data-secret readonly value="${lab.secret}"></label>`;
const ask = `onclick="d.showModal()"`;
const wrong = `onclick="w.showModal()"`;
const row = `<div class="row"><h3>Rotate Secret</h3><p>Replaces the client secret.</p><button ${ask}>Rotate</button></div>`;
const zone = (rows: string) =>
  `<section><h2><button aria-expanded="false" onclick="this.setAttribute('aria-expanded','true');z.hidden=false">Danger Zone</button></h2><div id="z" hidden>${rows}</div></section>`;
const dialog = (name: string, press: string) =>
  `<dialog id="${name}"><h2>Rotate secret?</h2><p>The current secret stops working.</p><button onclick="${name}.close()">Cancel</button><button onclick="${press};${name}.close()">Rotate</button></dialog>`;
const press = `fetch('/api/rotate',{method:'POST'}).then(r=>r.json()).then(j=>{for(const e of document.querySelectorAll('[data-secret]'))if('value' in e)e.value=j.secret;else e.textContent=j.secret})`;
const tools = (lab: Lab, fields = id(lab) + secret(lab), rows = row) =>
  `<main><h1>Developer Tools</h1>${fields}${zone(rows)}</main>${dialog('d', press)}${dialog('w', bad('wrong'))}`;

type Expectation = OtherPortal['expect'];
/** Developer Tools alone, in a session that lasts. */
const shows = (
  content: (lab: Lab) => string,
  expect: Expectation = 'pressed',
  path = '/developer-tools',
): OtherPortal => ({
  expect,
  signedIn: true,
  app:
    (lab) =>
    ({ method, url }) =>
      method === 'GET' && url.pathname.startsWith(path) ? page(content(lab)) : undefined,
});
const rows = (content: string, expect: Expectation = 'pressed') =>
  shows((lab) => tools(lab, undefined, content), expect);
const fields = (content: (lab: Lab) => string) => shows((lab) => tools(lab, content(lab)));
const another = { category: 'portal-changed', says: /no button "Rotate" that belongs to "Rotate Secret"/ } as const;

const loginForm = (more = '', message = '') =>
  `<h1>Log in</h1><p role="alert">${message}</p><form method="post" action="/login">${more}<label>Email <input type="email" name="email"></label><label>Password <input type="password" name="password"></label><button>Log in</button></form>`;
type Step = (lab: Lab, asked: Asked) => ReturnType<Handler>;
/** A login, the page that follows it, and Developer Tools. */
const loggingIn = (
  after: Step,
  expect: Expectation = 'pressed',
  more: Partial<OtherPortal> & { login?: string; answer?: Step } = {},
): OtherPortal => ({
  expect,
  ...more,
  app: (lab) => (asked) => {
    const { method, url, form, signedIn } = asked;
    if (url.pathname === '/login' && method === 'POST') {
      const known = lab.knows(form.get('email'), form.get('password'));
      return more.answer
        ? more.answer(lab, asked)
        : known
          ? to('/after', session)
          : page(loginForm('', 'Wrong password.'));
    }
    if (url.pathname === '/after') return after(lab, asked);
    if (url.pathname === '/telemetry') return new Response('', { status: 403 });
    if (url.pathname === '/sign-in') return page(loginForm());
    if (method !== 'GET' || url.pathname.startsWith('/api')) return undefined;
    if (url.pathname !== '/developer-tools') return undefined;
    return signedIn ? page(tools(lab)) : page(more.login ?? loginForm());
  },
});
const dashboard = (content: string) => loggingIn(() => page(`<h1>Dashboard</h1>${content}`));
const refusedLogin = (message: string) =>
  loggingIn(
    () => undefined,
    { category: 'login', says: /refused the password/, isRemembered: true },
    { answer: () => page(loginForm('', message)) },
  );
/** A login by script, which tells the server of more than that. */
const byScript = (script: string) =>
  `<form id="f"><label>Email <input id="u" type="email"></label><label>Password <input id="p" type="password"></label><button>Log in</button></form><script>f.onsubmit=async(e)=>{e.preventDefault();${script}}</script>`;
const send = `await fetch('/login',{method:'POST',body:JSON.stringify({email:u.value,password:p.value})})`;

export const portals: Record<string, OtherPortal> = {
  'ours is called otherwise, and another’s “Rotate” stands before it': rows(
    `<p>Webhook signing: replace it</p><button ${wrong}>Rotate</button><p>Rotate Secret</p><button ${ask}>Generate new</button>`,
    another,
  ),
  'ours has no button for this login, and another row has': rows(
    `<p>Signing key</p><button ${wrong}>Rotate</button><p>Rotate Secret</p><p>Only owners may do this.</p>`,
    another,
  ),
  'rows of different classes, ours still a skeleton': rows(
    `<div class="card wh"><h3>Webhook</h3><button ${wrong}>Rotate</button></div><div class="card cs"><h3>Rotate Secret</h3><span class="skeleton"></span></div>`,
    another,
  ),
  'each button before its title': rows(
    `<div><button ${ask}>Rotate</button> Rotate Secret</div><div><button ${wrong}>Rotate</button> Webhook</div>`,
  ),
  'each button before its title, after an icon': rows(
    `<div class="row"><i>vpn_key</i><button ${ask}>Rotate</button><h3>Rotate Secret</h3></div><div class="row last"><i>lock</i><button ${wrong}>Rotate</button><h3>Rotate certificate</h3></div>`,
  ),
  'a word of warning, then buttons before their titles, in one box': rows(
    `<p>Careful.</p><button ${ask}>Rotate</button> <strong>Rotate Secret</strong><p>Replaces it.</p><button ${wrong}>Rotate</button> <b>Certificate</b>`,
    another,
  ),
  'another’s title as text around its button, ours without one': rows(
    `<p>Signing key <button ${wrong}>Rotate</button></p><p>Rotate Secret <em>Ask an admin</em></p>`,
    another,
  ),
  'a description that begins like our title': rows(
    `<div><h3>Webhook</h3><p>Rotate Secret used to sign payloads.</p><button ${wrong}>Rotate</button></div>`,
    another,
  ),
  'a form that would rotate at once': rows(
    `<h3>Rotate Secret</h3><form method="post" action="/rotate"><button>Rotate</button></form>`,
    { category: 'portal-changed', says: /made the page send POST \/rotate before any dialog; it was held back/ },
  ),
  'a tab with an address of its own': shows(
    (lab) =>
      `<h1>Developer Tools</h1><div role="tablist"><button role="tab" onclick="history.pushState(0,'','/developer-tools/danger');a.hidden=true;b.hidden=false">Danger Zone</button></div><div id="a">${id(lab)}${secret(lab)}</div><div id="b" hidden><h2>Danger Zone</h2>${row}</div>${dialog('d', `${press};a.hidden=false`)}`,
  ),

  'values as text beside a label': fields(
    (lab) =>
      `<p><b>Client ID:</b> ${lab.account.clientId}</p><p><b>Client Secret:</b> <span data-secret>${lab.secret}</span></p>`,
  ),
  'values as text after a break': fields(
    (lab) =>
      `<p>Client ID<br>${lab.account.clientId}</p><p>Client Secret<br><span data-secret>${lab.secret}</span></p>`,
  ),
  'a value before its caption': shows(
    (lab) =>
      `<h1>Developer Tools</h1><p>${lab.account.clientId}</p><small>Client ID</small><p>${lab.secret}</p><small>Client Secret</small>`,
    { category: 'portal-changed', says: /stands on the page, but beside no label/ },
  ),
  'a badge between label and value': fields(
    (lab) =>
      `<div><h3>Client ID</h3><span>active</span> <code>${lab.account.clientId}</code></div><div><h3>Client Secret</h3><span>production</span> <code data-secret>${lab.secret}</code></div>`,
  ),
  'a mask of letters, and “Reveal”': fields(
    (lab) =>
      `${id(lab)}<div><h3>Client Secret</h3><code id="s" data-secret>xxxxxxxxxxxx${lab.secret.slice(-4)}</code><button onclick="s.textContent='${lab.secret}'">Reveal</button></div>`,
  ),

  'an invitation, and a word about cookies at the foot': dashboard(
    `<div><p>ACME invited you.</p><button onclick="${bad('decline')}">Decline</button><button onclick="${bad('accept')}">Accept</button></div><footer>Cookie policy</footer>`,
  ),
  'an order, and release notes': dashboard(
    `<p>Your trial ends.</p><button onclick="${bad('checkout')}">Continue to checkout</button><nav><a href="/r">Release notes</a></nav>`,
  ),
  'an account to be closed': dashboard(
    `<p>Close your account.</p><button onclick="${bad('close')}">Close</button><p>We use cookies.</p>`,
  ),
  'a recovery address that may be skipped': loggingIn((_lab, { url }) =>
    url.searchParams.has('skip')
      ? to('/developer-tools')
      : page(
          `<h1>Add a recovery email</h1><form method="post" action="/recovery"><label>Email address <input type="email" name="e"></label><button>Next</button></form><a href="/after?skip">Skip for now</a>`,
        ),
  ),
  'no client yet, and “Continue” makes one': shows(
    () =>
      `<h1>Developer Tools</h1><h2>Getting started</h2><p>You don't have a client yet.</p><button onclick="${bad('create')}">Continue</button>`,
    { category: 'configuration', says: /no client: the portal offers to create one, which was not pressed/ },
  ),

  'a profile with an e-mail address': dashboard(
    `<form method="post" action="/profile"><label>Email <input type="email" name="email" value="x@example.com"></label><button>Confirm</button></form>`,
  ),
  'a lead form in the login’s place': loggingIn(() => to('/developer-tools'), 'pressed', {
    login: `<header><a href="/sign-in">Log in</a></header><form method="post" action="/lead"><input type="email" name="email" placeholder="Work email"><button>Send</button></form>`,
  }),
  'a code for a discount': {
    ...dashboard(
      `<form method="post" action="/promo"><label>Code <input name="code" placeholder="Promo code"></label><button>Submit</button></form>`,
    ),
    totp: true,
  },
  'traps beside the fields of the login': loggingIn(() => to('/developer-tools'), 'pressed', {
    login: loginForm(
      `<div style="position:absolute;left:-9999px"><label>Email <input type="email" name="trap"></label></div><div style="position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"><input type="password" name="trap2"></div><p style="position:absolute;top:-9999px">Leave this empty if you are human</p>`,
    ),
  }),
  'a code that sends itself, beside a button that would send it again': {
    ...loggingIn((lab, { method, form }) => {
      if (method !== 'POST')
        return page(
          `<h1>Verification code</h1><form id="f"><label>6-digit code <input id="c" autocomplete="one-time-code" maxlength="6"></label><button>Verify</button></form><script>const s=async()=>{await fetch('/after',{method:'POST',body:JSON.stringify({code:c.value})});location='/developer-tools'};f.onsubmit=(e)=>{e.preventDefault();s()};c.oninput=()=>c.value.length===6&&s()</script>`,
        );
      lab.codes.push(String(form.get('code')));
      return Response.json({});
    }),
    totp: true,
  },

  'a code, telemetry at each key, and a button that sends it': {
    ...loggingIn((lab, { method, form }) => {
      if (method !== 'POST')
        return page(
          `<h1>Verification code</h1><form id="f" method="post"><label>6-digit code <input name="code" oninput="${bad('telemetry')}"></label><button>Verify</button></form>`,
        );
      lab.codes.push(String(form.get('code')));
      return to('/developer-tools');
    }),
    totp: true,
  },
  'a password that is called a new one': loggingIn(() => to('/developer-tools'), 'pressed', {
    login: loginForm().replace('name="password"', 'name="password" autocomplete="new-password"'),
  }),
  'a password that is asked for below the user name, which may be changed': loggingIn(() => undefined, 'pressed', {
    login: `<form id="f"><label>Email <input id="u" type="email"></label><div id="b"></div><button>Continue</button></form><script>f.onsubmit=async(e)=>{e.preventDefault();const p=f.querySelector('[type=password]');if(!p){await fetch('/api/nobody');b.innerHTML='<label>Password <input type=password></label><p>No account? Create one!</p>';return}await fetch('/login',{method:'POST',body:JSON.stringify({email:u.value,password:p.value})});location='/developer-tools'}</script>`,
    answer: () => new Response('{}', { headers: { 'set-cookie': session } }),
  }),

  'refused by the status, and “something went wrong”': loggingIn(
    () => undefined,
    { category: 'login', says: /refused the password/, isRemembered: true },
    {
      login: byScript(`${send};document.body.append('Something went wrong.')`),
      answer: () => new Response('{}', { status: 401 }),
    },
  ),
  'an answer that does not come is no refusal': loggingIn(
    () => undefined,
    { category: 'portal-changed', says: /neither the client id/, isRemembered: false },
    { login: byScript(send), answer: () => new Promise(() => undefined) },
  ),
  'refused in words that nobody knows': refusedLogin('Falsches Passwort'),
  'refused as an error, with a status of 200': refusedLogin('Login error. Please try again.'),
  'refused, and back where the user name is asked for alone': {
    expect: { category: 'login', says: /refused the password/, isRemembered: true },
    app:
      (lab) =>
      ({ url, form }) => {
        const asking = (field: string) =>
          page(
            `<h1>Log in</h1><form method="post" action="/${field}"><label>${field} <input type="${field}" name="${field}"></label><button>Next</button></form>`,
          );
        if (url.pathname === '/email') return asking('password');
        if (url.pathname !== '/password') return url.pathname === '/developer-tools' ? asking('email') : undefined;
        lab.knows(lab.account.username, form.get('password'));
        return to('/developer-tools?again');
      },
  },
  'the portal blames itself: no word on the login': loggingIn(
    () => undefined,
    { category: 'portal-unavailable', says: /could not take the login/, isRemembered: false },
    { answer: () => page(loginForm('', 'Something went wrong. Please try again later.')) },
  ),
  'a page in between that leads on after a while': loggingIn(() =>
    page(`<p>Signing you in…</p><script>setTimeout(()=>{location='/developer-tools'},1200)</script>`),
  ),
  'telemetry that fails beside a login that succeeds': loggingIn(() => undefined, 'pressed', {
    login: byScript(
      `${send};fetch('/telemetry',{method:'POST',body:'{}'});setTimeout(()=>{location='/developer-tools'},700)`,
    ),
    answer: () => new Response('{}', { headers: { 'set-cookie': session } }),
  }),
};
