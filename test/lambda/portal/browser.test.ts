import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { decode } from 'fast-png';
import { afterEach, expect, test } from 'vitest';
import { originsFor } from '../../../lambda/portal/origins.ts';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import { defaultPortalProfile } from '../../../lambda/portal/profile.ts';
import type { RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { chromiumProcesses } from './processes.ts';
import { open, parts, type SmallPortal, servePortal, usual } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

test('Chromium gets no flag that weakens web security, no credentials, and is gone after close', async () => {
  process.env.AWS_SECRET_ACCESS_KEY = 'canary-of-the-credentials';
  portal = await servePortal(usual);
  const tools = await open(portal);
  const [browser] = chromiumProcesses(undefined);
  const flags = readFileSync(`/proc/${browser}/cmdline`, 'utf8');
  const environment = readFileSync(`/proc/${browser}/environ`, 'utf8');
  expect(flags).not.toMatch(
    /disable-web-security|allow-running-insecure|site-isolation|ignore-certificate|single-process|disable-popup-blocking/,
  );
  expect(flags).toMatch(/--host-resolver-rules=MAP \* ~NOTFOUND/);
  expect(environment).not.toMatch(/AWS_|canary/);
  await tools.close();
  await expect.poll(() => chromiumProcesses(undefined)).toEqual([]);
});

test.each([
  ['https://app.tradeaware.example.com/dev', 'https://login.example.com/x', true],
  ['https://app.tradeaware.example.com/dev', 'http://login.example.com/x', false],
  ['https://app.tradeaware.example.com/dev', 'https://example.com.evil.org/x', false],
  ['https://one.github.io/dev', 'https://two.github.io/x', false],
  ['https://app.example.com/dev', 'https://tenant.auth0.com/x', true],
  ['http://127.0.0.1:1/dev', 'http://localhost:2/x', true],
  ['http://127.0.0.1:1/dev', 'https://example.com/x', false],
  ['https://app.example.com/dev', 'https://app.example.com@evil.org/x', false],
  ['https://app.example.com/dev', 'not a url', false],
])('a login for %s is typed on %s: %s', (home, url, trusted) => {
  expect(originsFor(home, ['https://tenant.auth0.com'], []).trusts(url)).toBe(trusted);
});

const hostile: Record<string, [(page: Parameters<typeof usual>[0]) => string, RegExp]> = {
  'endless script dialogs': [() => '<script>for (;;) alert(1)</script>', /one script dialog after the other/],
  'a script that never ends': [() => '<script>for (;;);</script>', /took longer than 3000 ms|neither the client id/],
  'a page that reloads for ever': [() => '<script>location.reload()</script>', /took longer|neither/],
  'a memory hog': [
    () => '<script>const a=[];for(;;)a.push(new Array(1e6).fill({}))</script>',
    /crashed|took longer|broke off|neither/,
  ],
  'a secret that is too long': [
    ({ id }) => `${parts.id(id)}<label>Client Secret <input id="t"></label><script>t.value='x1'.repeat(5e4)</script>`,
    /100000 characters/,
  ],
  'a secret of two lines': [
    ({ id }) => `${parts.id(id)}<label>Client Secret <textarea>first-line-of-it\nsecond-line-of-it</textarea></label>`,
    /no client secret can be read/,
  ],
  'nothing but a mask': [
    ({ id }) => `${parts.id(id)}<label>Client Secret <input value="••••••••••••"></label>`,
    /no client secret can be read/,
  ],
  'two secrets': [
    ({ id }) =>
      `${parts.id(id)}<label>Client Secret <input value="first-secret-1"></label><label>Client Secret <input value="second-secret-2"></label>`,
    /2 different values/,
  ],
  'a page without end': [
    () => '<script>document.body.innerHTML="<i></i>".repeat(6e4)</script>',
    /more than 50000 elements|took longer/,
  ],
};
test.each(Object.entries(hostile))('%s ends in an error of ours within its time', async (_name, [page, words]) => {
  portal = await servePortal(page);
  const began = performance.now();
  const openMs = 3_000;
  const profile = { times: { openMs, pageMs: 2_000 } };
  const error = (await open(portal, profile)
    .then(async (tools) => {
      await tools.look(signal).finally(() => tools.close());
    })
    .then(
      () => new Error('it was taken'),
      (thrown: unknown) => thrown,
    )) as RotationError;
  expect(error.message).toMatch(words);
  expect(error.pressed).toBe('no');
  expect(performance.now() - began).toBeLessThan(openMs + 15_000);
  await expect.poll(() => chromiumProcesses(undefined)).toEqual([]);
});

test('a page that rewrites what scripts are made of changes nothing', async () => {
  portal = await servePortal(
    (page) =>
      `<script>for (const n of Object.getOwnPropertyNames(Array.prototype)) if (n !== 'constructor') try { Array.prototype[n] = () => ['fooled'] } catch {}; String.prototype.trim = () => 'fooled'; RegExp.prototype.test = () => true; JSON.parse = () => ({});</script>${usual(page)}`,
  );
  const tools = await open(portal);
  expect(await tools.look(signal)).toBe(portal.secret());
  const dialog = await tools.openRotateDialog(signal);
  await dialog.press(signal);
  expect(portal.rotations).toBe(1);
  await tools.close();
});

test('nothing is asked of another origin, and the refusal names it', async () => {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((own) => own?.family === 'IPv4' && !own.internal)?.address;
  const asked: string[] = [];
  const stun = createSocket('udp4').on('message', () => asked.push('STUN'));
  await new Promise<void>((resolve) => stun.bind(0, address, resolve));
  portal = await servePortal(
    () =>
      `<script src="https://cdn.example.com/app.js"></script><img src="https://tracker.example.org/x">
      <script>const p=new RTCPeerConnection({iceServers:[{urls:'stun:${address}:${stun.address().port}'}]});p.createDataChannel('x');p.createOffer().then((o)=>p.setLocalDescription(o))</script>`,
  );
  await expect(open(portal, { times: { pageMs: 1_000 } })).rejects.toThrow(
    /kept from https:\/\/cdn\.example\.com, https:\/\/tracker\.example\.org: trustedOrigins or assetOrigins/,
  );
  stun.close();
  expect(asked).toEqual([]);
});

test('a password is not given to who asks with HTTP authentication', async () => {
  portal = await servePortal(
    usual,
    () =>
      ({ url }) =>
        url.pathname === '/developer-tools'
          ? new Response('Who are you?', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } })
          : undefined,
  );
  await expect(open(portal, { times: { pageMs: 1_000 } })).rejects.toMatchObject({ pressed: 'no' });
  expect(portal.logins).toEqual([]);
});

test('an abort ends all at once, with a browser that is gone', async () => {
  portal = await servePortal(usual, () => () => 'never');
  const stop = new AbortController();
  const opening = playwrightPortal({ profile: defaultPortalProfile }).open(portal.account, stop.signal);
  setTimeout(() => stop.abort(), 800);
  await expect(opening).rejects.toMatchObject({ category: 'timeout', pressed: 'no' });
  await expect.poll(() => chromiumProcesses(undefined)).toEqual([]);
});

test.each([
  ['shows no secret', (secret: string) => secret, 'covered'],
  ['shows none in groups, in pieces, or where it sticks out', (secret: string) => inPieces(secret), 'covered'],
  ['shows none in a closed shadow root of an open dialog', (secret: string) => inClosedRoot(secret), 'blurred'],
  ['shows none that moves all the time', (secret: string) => `${secret}${moving}`, 'covered'],
  ['shows none whose mask the page takes away', (secret: string) => `${secret}${withoutMask}`, 'covered'],
  ['shows none in a page that is zoomed', (secret: string) => `${secret}<style>html{zoom:1.5}</style>`, 'blurred'],
  ['shows none that stands outside what folds it', (secret: string) => outside(secret), 'covered'],
  ['shows none that is drawn twice', (secret: string) => twice(secret), 'covered'],
  ['shows none that its element insists on drawing twice', (secret: string) => insisting(secret), 'blurred'],
  // Shows that the search of the picture can find something.
  ['shows the rest of the page', () => 'Nothing secret', 'seen'],
] as const)('evidence %s', async (_name, written, how) => {
  const kept = new Map<string, Uint8Array | string>();
  const evidence = {
    write: async (name: string, body: Uint8Array | string) => {
      kept.set(name, body);
      return `s3://bucket/${name}`;
    },
  };
  const facts: unknown[] = [];
  portal = await servePortal(
    (page) =>
      `${usual(page).replace('Danger Zone', 'Elsewhere')}<p>Secret again: ${page.secret}</p><p style="background:#fff;color:#f00;font:40px monospace" id="p">${written(page.secret)}</p>`,
  );
  const tools = await open(
    portal,
    { times: { clickMs: 500 } },
    { evidence, log: (fact: string, detail: unknown) => facts.push({ fact, detail }) },
  );
  await tools.look(signal);
  const error = await tools.openRotateDialog(signal).catch((thrown: unknown) => thrown as RotationError);
  await tools.close();
  expect((error as RotationError).message).toMatch(/evidence: s3:\/\/bucket\/portal\//);
  const text = [...kept].find(([name]) => name.endsWith('.txt'))?.[1] as string;
  expect(text).toMatch(/heading "Developer Tools"/);
  expect(text).toMatch(/timing: opening the portal \d+ ms/);
  for (const secret of [portal.secret(), portal.account.password, portal.account.username]) {
    expect(text).not.toContain(secret);
    expect(JSON.stringify(facts)).not.toContain(secret);
  }
  const image = [...kept].find(([name]) => name.endsWith('.png'))?.[1] as Uint8Array;
  const { width, height } = decode(image);
  // Less than a pixel for each letter.
  if (how === 'blurred') expect([width, height]).toEqual([1280 / 40, 1000 / 40]);
  else expect([width, height, red(image) > 0]).toEqual([1280, 1000, how === 'seen']);
});

const moving = `<script>let n=0;setInterval(()=>{p.style.marginTop=(n=(n+37)%400)+'px';p.innerHTML=p.innerHTML},20)</script>`;
const withoutMask =
  '<style>html>:not(head):not(body){display:none!important}</style><script>new MutationObserver(()=>{for(const e of [...document.documentElement.children].slice(2))e.remove()}).observe(document.documentElement,{childList:true})</script>';
const outside = (secret: string) =>
  `</p><div style="height:0;overflow:hidden"><p style="position:absolute;color:#f00;font:40px monospace">${secret}</p></div>`;
const twice = (secret: string) =>
  `</p><svg width="900" height="80"><defs><text id="t" y="40" fill="red" font-size="40">${secret}</text></defs><use href="#t"/></svg>
  <style>#q{color:#f00;font:40px monospace;text-shadow:0 90px #f00!important;filter:drop-shadow(0 180px #f00)!important}</style><p id="q">${secret}</p>`;
const insisting = (secret: string) =>
  `</p><p style="color:#f00;font:40px monospace;text-shadow:0 90px #f00!important">${secret}</p>`;

// With room for the letters that stand out of their box by a pixel or two, as a J does.
const inPieces = (secret: string) => {
  const groups = secret.match(/.{1,4}/g) ?? [];
  const drawing = `url(&quot;data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='200' height='40'><text y='30' fill='red'>${secret}</text></svg>&quot;)`;
  return `${groups.join(' ')}</p><style>table,.c{color:#f00;font:30px monospace}td,.c{padding:0 4px}</style><table><tr><td>${groups.join('<td>')}</table>
    <div class="c"><span>${secret.slice(0, 8)}</span><span style="display:contents">${secret.slice(8)}</span></div>
    <div style="border:40px solid;border-image:${drawing} 30 fill;list-style:inside ${drawing};display:list-item">x</div>`;
};
const inClosedRoot = (secret: string) =>
  `</p><dialog id="d"><div id="h"></div></dialog><script>h.attachShadow({mode:'closed'}).innerHTML='<p style="color:#f00;font:40px monospace">${secret}</p>';d.showModal()</script>`;

test('evidence of a second factor that is set up is nothing but a blur', async () => {
  const kept = new Map<string, Uint8Array | string>();
  const evidence = { write: async (name: string, body: Uint8Array | string) => String(kept.set(name, body).size) };
  portal = await servePortal(
    () => '<p>Scan this QR code with your app, then enter the verification code.</p><label>Code <input></label>',
  );
  portal.account.totpSecret = 'JBSWY3DPEHPK3PXP';
  await expect(open(portal, { times: { pageMs: 1_500 } }, { evidence })).rejects.toMatchObject({ pressed: 'no' });
  const image = [...kept].find(([name]) => name.endsWith('.png'))?.[1] as Uint8Array;
  expect(decode(image)).toMatchObject({ width: 1280 / 40, height: 1000 / 40 });
});

test('what Chromium tells and no string can hold ends in an error of ours, and not the process', async () => {
  portal = await servePortal(
    usual,
    () =>
      ({ url }) =>
        url.pathname === '/developer-tools' ? 'never' : undefined,
  );
  const opening = open(portal);
  await expect.poll(() => chromiumProcesses('renderer').length).toBeGreaterThan(0);
  await expect.poll(() => process.hasUncaughtExceptionCaptureCallback()).toBe(true);
  setImmediate(() => {
    throw Object.assign(new Error('Cannot create a string'), { code: 'ERR_STRING_TOO_LONG' });
  });
  await expect(opening).rejects.toMatchObject({ category: 'portal-unavailable', pressed: 'no' });
  await expect.poll(() => chromiumProcesses(undefined)).toEqual([]);
});

test('evidence that cannot be kept hides nothing', async () => {
  portal = await servePortal((page) => usual(page).replace('Danger Zone', 'Elsewhere'));
  const tools = await open(
    portal,
    { times: { clickMs: 500 } },
    {
      evidence: {
        write: async () => {
          throw new Error('AccessDenied');
        },
      },
    },
  );
  await expect(tools.openRotateDialog(signal)).rejects.toThrow(/no button "Rotate"/);
  await tools.close();
});

/** How many pixels of a PNG are of the colour in which the secret was written. */
function red(png: Uint8Array): number {
  const { data, channels } = decode(png);
  const pixels = Array.from({ length: data.length / channels }, (_, pixel) => pixel * channels);
  return pixels.filter((at) => (data[at] ?? 0) > 150 && (data[at + 1] ?? 0) < 120).length;
}
