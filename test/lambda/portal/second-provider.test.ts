import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { html, open, type SmallPortal, servePortal } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

/** What a person had to write for a portal of another look and language: the example in docs/portal.md. */
const profile = JSON.parse(readFileSync('docs/snippets/portal-profile-de.json', 'utf8')) as object;

test('a portal of another look and language is driven by a profile', async () => {
  const page = ({ id, secret }: { id: string; secret: string }) => `
    <header>Acme Konsole</header>
    <table><tr><td>Client-Kennung</td><td>${id}</td></tr><tr><td>Geheimer Schlüssel</td><td><tt data-secret>${secret}</tt></td></tr></table>
    <details><summary>Gefahrenbereich</summary><ul>
      <li>Schlüssel erneuern <a href="#" role="button" onclick="ask()">Erneuern</a></li>
      <li>Zertifikat erneuern <a href="#" role="button" onclick="other('certificate')">Erneuern</a></li>
      <li>Client löschen <a href="#" role="button" onclick="other('delete')">Löschen</a></li></ul></details>
    <div class="modal" role="dialog" hidden style="position:fixed;top:10%;background:#fff"><h3>Schlüssel erneuern</h3>
      <p>Geben Sie ERNEUERN ein.</p><input id="w" oninput="c()"><label><input id="k" type="checkbox" onchange="c()"> Mir ist bewusst, dass der alte Schlüssel sofort ungültig wird.</label>
      <button>Abbrechen</button> <button id="b" disabled onclick="press()">Ja, erneuern</button></div>
    <script>function c(){b.disabled=!(w.value==='ERNEUERN'&&k.checked)}</script>`;
  portal = await servePortal(page, (it) => ({ url, method, body, signedIn }) => {
    if (url.pathname === '/login' && method === 'POST') {
      it.logins.push(new URLSearchParams(body).get('p') ?? '');
      return new Response(null, {
        status: 303,
        headers: { location: '/developer-tools', 'set-cookie': 'session=yes; Path=/' },
      });
    }
    if (signedIn) return undefined;
    return html(
      '<form method="post" action="/login"><label>Benutzername <input name="u"></label><label>Kennwort <input name="p" type="password"></label><button>Anmelden</button></form>',
    );
  });
  const tools = await open(portal, profile);
  const before = await tools.look(signal);
  expect(before).toBe(portal.secret());
  const dialog = await tools.openRotateDialog(signal);
  await dialog.press(signal);
  expect(await tools.shown(signal)).toBe(portal.secret());
  expect({ rotations: portal.rotations, others: portal.others, logins: portal.logins }).toEqual({
    rotations: 1,
    others: [],
    logins: [portal.account.password],
  });
  await tools.close();
});

test('what no label finds is found by CSS of the profile', async () => {
  const page = ({ id, secret }: { id: string; secret: string }) => `
    <i class="id">${id}</i><input class="secret" data-secret value="${secret}"><b class="open" onclick="z.hidden=false">!</b>
    <div id="z" hidden><i class="go" onclick="ask()">?</i></div>
    <section class="modal box" hidden><p>Rotate?</p><input class="word"> type X to go<i class="yes" onclick="press()">✓</i></section>`;
  portal = await servePortal(page);
  const tools = await open(portal, {
    locators: {
      clientId: '.id',
      clientSecret: '.secret',
      dangerZone: '.open',
      rotate: '.go',
      dialog: '.box',
      confirm: '.yes',
      wordField: '.word',
    },
  });
  await tools.look(signal);
  const dialog = await tools.openRotateDialog(signal);
  await dialog.press(signal);
  expect(await tools.shown(signal)).toBe(portal.secret());
  expect(portal.rotations).toBe(1);
  await tools.close();
});
