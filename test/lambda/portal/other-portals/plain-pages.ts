/** Pages that a server renders, each by another team. */
import { type Lab, type OtherPortal, page, session, to } from './server.ts';

/** A login form of the app's own, and Developer Tools behind it. */
const served = (
  form: (wrong: boolean) => string,
  tools: (lab: Lab) => string,
  more: Partial<OtherPortal> = {},
): OtherPortal => ({
  expect: 'pressed',
  ...more,
  app: (lab) => (asked) => {
    const { method, url, form: sent, signedIn } = asked;
    if (url.pathname === '/login' && method === 'POST') {
      const known = lab.knows(sent.get('user') ?? sent.get('email'), sent.get('pass') ?? sent.get('password'));
      return known ? to(url.searchParams.get('next') ?? '/', session) : page(form(true));
    }
    if (url.pathname === '/login') return page(form(false));
    if (method !== 'GET') {
      if (url.pathname !== '/clients/rotate') return undefined;
      lab.rotations += 1;
      lab.secret = lab.secret.slice(12) + Math.random().toString(36).slice(2, 14);
      return to('/developer-tools');
    }
    if (url.pathname.startsWith('/api')) return undefined;
    if (!signedIn) return to(`/login?next=${url.pathname}`);
    if (url.pathname === '/developer-tools') return page(tools(lab), { title: 'Developer Tools' });
    if (url.pathname === '/') return page('<h1>Welcome</h1><p>2 failed imports. 1 invalid record.</p>');
    return undefined;
  },
});

const login = (wrong: boolean) =>
  `<h1>Log in to TradeAware</h1>${wrong ? '<p class="err">Wrong email or password.</p>' : ''}<form method="post">
  <table><tr><td>E-mail:</td><td><input name="user"></td></tr><tr><td>Password:</td><td><input type="password" name="pass"></td></tr></table><input type="submit" value="Log in"></form>`;

export const portals: Record<string, OtherPortal> = {
  'old server HTML with tables': served(
    login,
    ({
      account,
      secret,
    }) => `<h1>Developer Tools</h1><table border="1"><tr><td><b>Client ID:</b></td><td>${account.clientId} <button type="button">Copy</button></td></tr>
    <tr><td><b>Client Secret:</b></td><td><tt>${secret}</tt></td></tr></table>
    <h2 onclick="dz.style.display='block'" style="cursor:pointer">Danger Zone &raquo;</h2><div id="dz" style="display:none">
    <h3>Rotate Secret</h3><p>Creates a new secret and invalidates the current one.</p><form method="post" action="/clients/rotate" onsubmit="return confirm('Are you sure that you want to rotate the client secret?')"><button style="background:red">Rotate</button></form>
    <h3>Delete Client</h3><form method="post" action="/clients/delete" onsubmit="return confirm('Delete?')"><button style="background:red">Delete</button></form></div>`,
  ),
  'GitHub-like settings': served(
    (
      wrong,
    ) => `<form method="post"><h1>Sign in</h1>${wrong ? '<div role="alert">Incorrect username or password.</div>' : ''}
    <label for="login_field">Username or email address</label><input id="login_field" name="user" autocapitalize="off"><div><label for="password">Password</label><input type="password" id="password" name="pass"><a href="/reset">Forgot password?</a></div><input type="submit" name="commit" value="Sign in" data-disable-with="Signing in…"></form>`,
    ({
      account,
      secret,
      name,
    }) => `<nav><a href="/settings">Settings</a> / <a aria-current="page" href="/developer-tools">Developer Tools</a></nav><h2>${name}</h2>
    <div><h3>Client ID</h3><code>${account.clientId}</code></div><div><h3>Client secrets</h3></div><div><h3>Client secret</h3><p>Use it to authenticate.</p><code id="s">${secret}</code></div>
    <details class="danger"><summary><h2>Danger Zone</h2></summary><ul class="Box">
    <li class="Box-row"><div><strong>Transfer ownership</strong><p>Transfer this client to another user.</p></div><button class="btn-danger">Transfer</button></li>
    <li class="Box-row"><div><strong>Revoke all user tokens</strong><p>Log out every user.</p></div><form method="post" action="/revoke"><button class="btn-danger">Revoke all</button></form></li>
    <li class="Box-row"><div><strong>Rotate secret</strong><p>The current secret will stop working right away.</p></div><button type="button" class="btn-danger" onclick="d.showModal()">Rotate</button></li>
    <li class="Box-row"><div><strong>Delete client</strong><p>Once you delete a client, there is no going back.</p></div><form method="post" action="/delete"><button class="btn-danger">Delete this client</button></form></li></ul></details>
    <dialog id="d" aria-label="Rotate client secret"><header><h1>Rotate client secret</h1><button aria-label="Close" onclick="d.close()">✕</button></header><form method="post" action="/clients/rotate"><p>This is <b>immediate</b>. Your integrations will break until they have the new secret.</p>
    <label for="v">To confirm, type "${name}" in the box below</label><input id="v" autocomplete="off" oninput="go.disabled=this.value!=='${name}'"><button id="go" class="btn-danger btn-block" disabled>Rotate</button></form></dialog>`,
  ),
  'a form of labelled paragraphs, two clients as tabs of cards': served(
    (wrong) =>
      `<main><form method="post"><h2>Sign in</h2>${wrong ? 'Invalid credentials' : ''}<input name="email" type="email" placeholder="you@company.com" required><input name="password" type="password" placeholder="••••••••" required><button>Continue</button></form></main>`,
    ({ account, secret, otherId, otherSecret }) => {
      const card = (
        id: string,
        value: string,
        mine: boolean,
      ) => `<div class="card"><div class="card-header"><span class="title">${mine ? 'Production' : 'Staging'}</span> <span class="badge">Active</span></div><div class="card-body">
      <p class="label">Client ID</p><p class="value">${id}</p><p class="label">Client Secret</p><p class="value">${value} <a href="#" role="button">Copy</a></p><p class="label">Created</p><p class="value">2024-01-01T10:00:00Z</p>
      <div class="zone"><button aria-expanded="false" onclick="this.setAttribute('aria-expanded','true');this.nextElementSibling.hidden=false">Danger Zone</button><div hidden><p><b>Rotate Secret</b><br>Old secret expires. <button onclick="${mine ? 'd.showModal()' : "fetch('/wrong',{method:'POST'})"}">Rotate</button></p><p><b>Delete</b><br><button onclick="fetch('/delete',{method:'POST'})">Delete</button></p></div></div></div></div>`;
      return `<h1>Developer Tools</h1>${card(otherId, otherSecret, false)}${card(account.clientId, secret, true)}<dialog id="d"><h2>Rotate secret for "Production"?</h2><form method="post" action="/clients/rotate"><label><input type="checkbox" required onchange="r.disabled=!this.checked"> I understand that the current secret stops working immediately.</label><button type="button" onclick="d.close()">Cancel</button><button id="r" disabled>Rotate</button></form></dialog>`;
    },
  ),
  'German, with a profile': served(
    () =>
      `<form method="post"><label>E-Mail<input name="email" type="email"></label><label>Passwort<input name="password" type="password"></label><button>Anmelden</button></form>`,
    ({
      account,
      secret,
    }) => `<h1>Entwicklerwerkzeuge</h1><dl><dt>Client-ID</dt><dd>${account.clientId}</dd><dt>Client-Secret</dt><dd><input readonly value="${secret}"></dd></dl><h2><button aria-expanded="false" aria-controls="z" onclick="this.setAttribute('aria-expanded','true');z.hidden=false">Gefahrenzone</button></h2><div id="z" hidden><h3>Secret rotieren</h3><button onclick="d.showModal()">Rotieren</button><h3>Client löschen</h3><button>Löschen</button></div>
    <dialog id="d"><h2>Secret rotieren?</h2><form method="post" action="/clients/rotate"><p>Geben Sie <b>ROTIEREN</b> ein, um fortzufahren.</p><input oninput="r.disabled=this.value!=='ROTIEREN'"><button type="button">Abbrechen</button><button id="r" disabled>Rotieren</button></form></dialog>`,
    {
      profile: {
        locale: 'de-DE',
        labels: {
          submitLogin: ['Anmelden'],
          clientId: ['Client-ID'],
          clientSecret: ['Client-Secret'],
          dangerZone: ['Gefahrenzone'],
          rotateSecret: ['Secret rotieren'],
          rotate: ['Rotieren'],
          confirm: ['Rotieren'],
          cancel: ['Abbrechen'],
        },
        messages: { rotating: ['/rotier/'], typeThis: ['/Geben Sie (.{1,100})/'] },
      },
    },
  ),
};
