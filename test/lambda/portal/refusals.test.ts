import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { chosen } from '../../choice.ts';
import { open, parts, type SmallPortal, servePortal, usual } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

type Page = Parameters<typeof servePortal>[0];
const withRows =
  (rows: string): Page =>
  (page) =>
    usual(page).replace(parts.rows, rows);
const inDialog =
  (content: string): Page =>
  (page) =>
    usual(page).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog(content));
const row = (title: string, button: string) => `<div class="row"><h3>${title}</h3>${button}</div>`;
const rotate = '<button onclick="ask()">Rotate</button>';
const wrong = (name: string) => `<button onclick="other('x')">${name}</button>`;

const refusals: Record<string, [Page, RegExp]> = {
  'two buttons in the section': [withRows(row('Rotate Secret', rotate + rotate)), /2 matches .*Rotate/],
  'two sections of that name': [
    withRows(row('Rotate Secret', rotate) + row('Rotate Secret', wrong('Rotate'))),
    /2 matches/,
  ],
  'no such section': [withRows(row('Rotate webhook key', wrong('Rotate'))), /no button "Rotate"/],
  'a button of another name': [
    withRows(row('Rotate Secret', wrong('Regenerate')) + row('Webhooks', wrong('Rotate'))),
    /no button "Rotate".*button "Regenerate"/,
  ],
  'a button of another section': [
    withRows(
      '<div class="row"><b>Rotate Secret</b></div><div class="row"><b>Webhook key</b><button onclick="other(1)">Rotate</button></div>',
    ),
    /no button "Rotate"/,
  ],
  'a list whose entry lost its button': [
    withRows('<ul><li>Rotate Secret</li><li>Webhook key <button onclick="other(1)">Rotate</button></li></ul>'),
    /no button "Rotate"/,
  ],
  'a name that assistive technology reads otherwise': [
    withRows(row('Rotate Secret', '<button aria-label="Delete client" onclick="other(1)">Rotate</button>')),
    /no button "Rotate"/,
  ],
  'a text that the name hides': [
    withRows(row('Rotate Secret', '<button aria-label="Rotate" onclick="other(1)">Delete</button>')),
    /no button "Rotate"/,
  ],
  'a section outside the Danger Zone': [
    (page) =>
      usual(page)
        .replace(parts.rows, '')
        .replace('</main>', `<h2>General</h2>${row('Rotate Secret', wrong('Rotate'))}</main>`),
    /no button "Rotate"/,
  ],
  'no Danger Zone': [(page) => usual(page).replace('Danger Zone', 'More'), /no button "Rotate"/],
  'a dialog that assistive technology does not see, with another button': [
    (page) =>
      usual(page).replace(
        /<dialog[\s\S]*<\/dialog>/,
        `<div class="modal" role="dialog" aria-hidden="true" hidden style="position:fixed;inset:0;background:#fff"><p>Rotate secret?</p><button>Cancel</button><button onclick="other('delete')">Delete</button><button onclick="press()">Rotate</button></div>`,
      ),
    /something else than rotating: "Delete"/,
  ],
  'a dialog with a link to another client': [
    (page) =>
      inDialog(
        `<p>This is for <a href="/clients/${page.other}">this client</a>.</p><button onclick="press()">Rotate</button>`,
      )(page),
    /the id of another client/,
  ],
  'a rotation at the click, without a dialog': [
    withRows(row('Rotate Secret', '<button onclick="press()">Rotate</button>')),
    /POST \/rotate.* held back/,
  ],
  'a rotation at the click, by GraphQL': [
    withRows(
      row(
        'Rotate Secret',
        `<button onclick="fetch('/graphql', { method: 'POST', body: JSON.stringify([{ query: '{ me }' }, { query: 'query A { a } mutation B { rotate }' }]) })">Rotate</button>`,
      ),
    ),
    /POST \/graphql.* held back/,
  ],
  'a rotation at the click, with a dialog that asks nothing': [
    (page) =>
      withRows(row('Rotate Secret', '<button onclick="press();ask()">Rotate</button>'))(page).replace(
        /<dialog[\s\S]*<\/dialog>/,
        parts.dialog('<p>Rotating your secret</p>'),
      ),
    /POST \/rotate.* held back/,
  ],
  'a rotation at the click, by a form that opens a new tab': [
    withRows(
      row('Rotate Secret', '<form method="post" action="/other/tab" target="_blank"><button>Rotate</button></form>'),
    ),
    /POST \/other\/tab.* held back/,
  ],
  'a rotation at the click, by a shared worker': [
    withRows(row('Rotate Secret', `<button onclick="new SharedWorker('/worker.js')">Rotate</button>`)),
    /opened no dialog/,
  ],
  'a rotation at the click, put off until later': [
    withRows(
      row('Rotate Secret', `<button onclick="fetchLater('/rotate',{method:'POST',activateAfter:0})">Rotate</button>`),
    ),
    /opened no dialog/,
  ],
  'a rotation at the click, with an alert': [
    withRows(row('Rotate Secret', `<button onclick="press();alert('The client secret is rotated.')">Rotate</button>`)),
    /POST \/rotate.* held back/,
  ],
  'a word to type that only the field speaks of': [
    inDialog(
      `<input placeholder="Type DELETE to delete the client" oninput="b.disabled=false"><button id="b" disabled onclick="other('delete')">Rotate</button>`,
    ),
    /"DELETE"/,
  ],
  'a dialog that says nothing of rotating': [
    (page) =>
      usual(page).replace(
        /<dialog[\s\S]*<\/dialog>/,
        `<dialog class="modal"><h2>Are you sure?</h2><button onclick="press()">OK</button></dialog>`,
      ),
    /no dialog that speaks of rotating/,
  ],
  'a grid whose cell for our button is empty, before another row': [
    (page) =>
      usual(page).replace(
        parts.rows,
        `<div class="c8"><p>Rotate Secret</p><p>A new client secret.</p></div><div class="c4"></div><div class="c8"><p>Webhook secret</p><p>A new one.</p></div><div class="c4"><button onclick="other('webhook')">Rotate</button></div>`,
      ),
    /no button "Rotate" that belongs to "Rotate Secret"/,
  ],
  'a dialog without the button': [
    inDialog('<button onclick="press()">Proceed</button>'),
    /no button that confirms.*button "Proceed"/,
  ],
  'two buttons to confirm': [
    inDialog('<button onclick="press()">Rotate</button><button onclick="press()">Rotate</button>'),
    /2 matches .*confirm/,
  ],
  'a dialog that asks for a password': [
    inDialog('<label>Password<input type="password"></label><button onclick="press()">Rotate</button>'),
    /asks for a password/,
  ],
  'a word that is not understood': [
    inDialog('<input><button onclick="press()" disabled>Rotate</button>'),
    /what to type there was not understood/,
  ],
  'a button that stays disabled': [
    inDialog('<label><input type="checkbox"> Also log everybody out</label><button disabled>Rotate</button>'),
    /did not become ready/,
  ],
  'a dialog about another client': [
    (page) =>
      inDialog(`<p>Rotate the secret of ${page.other}?</p><button onclick="other('wrong')">Rotate</button>`)(page),
    /id of another client/,
  ],
  'a dialog about every client': [
    inDialog(`<p>The secrets of all clients are rotated.</p><button onclick="other('all')">Rotate</button>`),
    /secrets of all/,
  ],
  'a window.confirm about deleting': [
    (page) => usual(page).replace('onclick="ask()"', `onclick="if (confirm('Delete this client?')) other('delete')"`),
    /"Delete"/,
  ],
  'a reminder that speaks of rotating, beside a dialog that is slow': [
    (page) =>
      `${usual(page).replace('onclick="ask()"', 'onclick="setTimeout(ask, 300)"')}<div role="dialog" style="position:fixed;right:0;bottom:0;width:200px">Your secret is old: rotate it. <button onclick="other('reminder')">Rotate now</button></div>`,
    /2 matches .*rotate dialogs/,
  ],
  ...Object.fromEntries(
    [
      '<p>Enter 6-digit code from your authenticator</p><input>',
      '<input aria-label="Enter verification code">',
      '<p>Type it here</p><input autocomplete="one-time-code">',
      '<p>Enter password to confirm</p><input>',
      '<p>Type it here</p><input type="password">',
      '<label>PIN <input></label>',
      '<p>Enter the 6-digit code</p><input maxlength="1"><input maxlength="1"><input maxlength="1">',
    ].map((field) => [
      `a dialog that asks for a proof: ${field}`,
      [inDialog(`${field}<button onclick="other('proof')">Rotate</button>`), /password, a PIN or a one-time code/],
    ]),
  ),
  ...Object.fromEntries(
    ['Enter your password to rotate the secret', 'Type the code sent to your phone to rotate the secret'].map(
      (text) => [
        `a window.prompt for a proof: ${text}`,
        [
          (page: Parameters<Page>[0]) =>
            usual(page).replace('onclick="ask()"', `onclick="if(prompt('${text}')!==null)other('proof')"`),
          /password, a PIN or a one-time code/,
        ],
      ],
    ),
  ),
  'a window.prompt for what nobody knows': [
    (page) =>
      usual(page).replace('onclick="ask()"', `onclick="if(prompt('To rotate the secret, enter the reason'))other(1)"`),
    /what to type there was not understood/,
  ],
  'a dialog that wants a part of what is known': [
    inDialog(`<p>Type the last 4 characters of the client id</p><input><button onclick="other(1)">Rotate</button>`),
    /what to type there was not understood/,
  ],
  'a word that rotates as soon as it is complete': [
    inDialog(`<p>Type ROTATE</p><input oninput="if(this.value==='ROTATE')press()"><button disabled>Rotate</button>`),
    /typed in the rotate dialog made the page send POST \/rotate; it was held back/,
  ],
  'a box that rotates when it is ticked': [
    inDialog(
      `<label><input type="checkbox" onchange="press()"> I understand, rotate now</label><button>Rotate</button>`,
    ),
    /ticked or typed in the rotate dialog made the page send POST \/rotate; it was held back/,
  ],
  'a box that was ticked already': [
    inDialog(
      `<label><input type="checkbox" checked> Also sign out everyone</label><button onclick="other(1)">Rotate</button>`,
    ),
    /a box that was ticked already/,
  ],
  'a list in the dialog, with another client chosen': [
    (page) =>
      inDialog(
        `<select><option value="${page.other}">Legacy</option><option value="${page.id}">Farm</option></select><button onclick="other('client')">Rotate</button>`,
      )(page),
    /a choice to make/,
  ],
  'radio buttons in the dialog, with none chosen': [
    (page) =>
      inDialog(
        `<label><input type="radio" name="c"> Legacy</label><label><input type="radio" name="c" value="${page.id}"> Farm</label><button onclick="other('client')">Rotate</button>`,
      )(page),
    /a choice to make/,
  ],
  'a list beside the button': [
    withRows(row('Rotate Secret', `<select aria-label="Client"><option>Legacy</option></select>${wrong('Rotate')}`)),
    /no button "Rotate"/,
  ],
  ...Object.fromEntries(
    [
      ['Legacy Import', 'Rotate the secret of Legacy Import now?'],
      ['Legacy Import', 'Consumers of LEGACY IMPORT must be updated.'],
      ['ERP', 'ERP'],
      ['Farm Staging', 'For Farm Staging.'],
    ].map(([name, said]) => [
      `a dialog about another client on the page, by its name: ${said}`,
      [
        (page: Parameters<Page>[0]) =>
          `<main><h1>Developer Tools</h1><article><h2>${name}</h2>${parts.id(page.other)}${parts.secret('another-secret-0')}</article><article><h2>Farm</h2>${parts.id(page.id)}${parts.secret(page.secret)}${parts.zone(parts.rows)}</article></main>${parts.dialog(`<p>${said}</p><button onclick="other('client')">Rotate</button>`)}`,
        new RegExp(`speaks of another client on the page: "${name}"`),
      ],
    ]),
  ),
  'a dialog that is loading without an end': [
    inDialog(`<p aria-busy="true">Please hold the line</p><button onclick="other(1)">Rotate</button>`),
    /says that it is still loading/,
  ],
  ...Object.fromEntries(
    Object.entries({
      'around it': `<section><h2>Webhooks</h2><details><summary>Danger Zone</summary>${row('Rotate Secret', wrong('Rotate'))}</details></section>`,
      'over its heading': `<h2>Webhooks</h2><p>Signing secret</p><h3>Danger Zone</h3><h4>Rotate Secret</h4>${wrong('Rotate')}`,
      'within it': `<h2>Danger Zone</h2><header><h3>Webhooks</h3></header><h4>Rotate Secret</h4>${wrong('Rotate')}`,
    }).map(([where, zone]) => [
      `a Danger Zone of webhooks, with the heading ${where}`,
      [
        ({ id, secret }: Parameters<Page>[0]) =>
          `<main><section><h2>API</h2>${parts.id(id)}${parts.secret(secret)}</section>${zone}</main>`,
        /no button "Rotate"/,
      ],
    ]),
  ),
  'a button under something that cannot be closed': [
    (page) => `${usual(page)}<div style="position:fixed;inset:0;z-index:9;background:#fff">Please wait</div>`,
    /something lies over it/,
  ],
};

const worker = new Response(`fetch('/rotate', { method: 'POST' })`, { headers: { 'content-type': 'text/javascript' } });

/** The others in a sample of the day: each category has its own among the obstacles of the simulated portal. */
const someRefusals = chosen(
  Object.entries(refusals).map(([name, [page, words]]) => ({ name, page, words })),
  40,
);
test.each(someRefusals)('$name is refused before the press', async ({ page, words }) => {
  portal = await servePortal(
    page,
    () =>
      ({ url }) =>
        url.pathname === '/worker.js' ? worker.clone() : undefined,
  );
  const tools = await open(portal, { times: { dialogMs: 900, clickMs: 900 } });
  try {
    await tools.look(signal);
    const error = (await tools.openRotateDialog(signal).then(
      () => new Error('the dialog was taken'),
      (thrown: unknown) => thrown,
    )) as RotationError;
    expect(error.message).toMatch(words);
    expect(error).toMatchObject({ category: 'portal-changed', pressed: 'no' });
    expect(error.action).not.toBe('');
    expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 0, others: [] });
  } finally {
    await tools.close();
  }
});

test.each([
  ['is busy', `<p id="p" aria-busy="true">Please hold the line</p>`],
  ['says "Loading"', '<p id="p">Loading…</p>'],
  ['waits for an answer', '<p id="p"></p>'],
])('a dialog that %s is judged by what it says then', async (_what, content) => {
  portal = await servePortal(
    (page) =>
      inDialog(`${content}<button onclick="other(1)">Rotate</button>`)(page).replace(
        'onclick="ask()"',
        `onclick="ask();fetch('/effects').then(()=>{p.ariaBusy='false';p.textContent='All access tokens will be revoked.'})"`,
      ),
    () =>
      async ({ url }) =>
        url.pathname === '/effects' ? sleep(300, new Response('')) : undefined,
  );
  const tools = await open(portal, { times: { settleMs: 4_000 } });
  try {
    await tools.look(signal);
    await expect(tools.openRotateDialog(signal)).rejects.toThrow(/something else than rotating: "All access tokens/);
    expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 0, others: [] });
  } finally {
    await tools.close();
  }
});

test.each(['type="password"', 'autocomplete="current-password"', 'autocomplete="one-time-code"'])(
  'a field with %s is for a proof, whatever the profile takes for one',
  async (kind) => {
    portal = await servePortal(
      inDialog(`<p>Type ROTATE</p><input ${kind}><button onclick="other('proof')">Rotate</button>`),
    );
    const tools = await open(portal, { messages: { proof: ['/Geheimzahl/'] } });
    try {
      await tools.look(signal);
      await expect(tools.openRotateDialog(signal)).rejects.toThrow(/password, a PIN or a one-time code/);
      expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 0, others: [] });
    } finally {
      await tools.close();
    }
  },
);

const unasked: Record<string, string> = {
  'a link': '<a href="/rotate">Rotate</a>',
  'a form that only reads': '<form action="/rotate"><button>Rotate</button></form>',
  'a script that loads the page anew': `<button onclick="fetch('/rotate').then(()=>location.reload())">Rotate</button>`,
  'a script that shows the new secret': `<button onclick="fetch('/rotate').then(()=>fetch('/now')).then((now)=>now.text()).then(show)">Rotate</button>`,
};

test.each(Object.entries(unasked))(
  'a portal that rotates by GET, without asking, is clicked once: %s',
  async (_name, button) => {
    portal = await servePortal(withRows(row('Rotate Secret', button)), (it) => ({ url }) => {
      if (url.pathname === '/now') return new Response(it.secret());
      if (url.pathname !== '/rotate') return undefined;
      it.rotate();
      return new Response(null, { status: 303, headers: { location: '/developer-tools' } });
    });
    const tools = await open(portal, { times: { dialogMs: 900 } });
    try {
      await tools.look(signal);
      await expect(tools.openRotateDialog(signal)).rejects.toMatchObject({
        category: 'portal-changed',
        pressed: 'unknown',
      });
      expect(portal.rotations).toBe(1);
    } finally {
      await tools.close();
    }
  },
);

test('what a dialog goes on to say when its button is ready already is judged too', async () => {
  portal = await servePortal(
    inDialog(
      `<p id="p">The current secret stops working.</p><label>Type ROTATE <input oninput="p.textContent='This also deletes the client.';b.disabled=false"></label><button id="b" disabled onclick="other('delete')">Rotate</button>`,
    ),
  );
  const tools = await open(portal);
  try {
    await tools.look(signal);
    await expect(tools.openRotateDialog(signal)).rejects.toThrow(/"deletes"/);
    expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 0, others: [] });
  } finally {
    await tools.close();
  }
});

const changes: Record<string, [content: (id: string) => string, change: (other: string) => string]> = {
  'a value that is read only': [
    (id) => `<input readonly aria-label="Client" value="${id}"><button onclick="press()">Rotate</button>`,
    (other) => `d.querySelector('input').value='${other}'`,
  ],
  'all of it, drawn anew': [
    (id) => `<input readonly aria-label="Client" value="${id}"><button onclick="press()">Rotate</button>`,
    (other) =>
      `const n=d.cloneNode(true);n.open=false;n.querySelector('input').setAttribute('value','${other}');d.replaceWith(n);n.showModal()`,
  ],
  'what its button is called': [
    () => '<button onclick="press()" aria-label="Rotate">✓</button>',
    () => `d.querySelector('button').ariaLabel='Delete client'`,
  ],
};

test.each(Object.entries(changes))(
  'a dialog that has changed before the press is not pressed: %s',
  async (_name, it) => {
    const [content, change] = it;
    const [asked, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    portal = await servePortal(
      (page) =>
        inDialog(content(page.id))(page) +
        `<script>fetch('/ask').then(()=>{const d=document.querySelector('dialog');${change(page.other)};fetch('/changed')})</script>`,
      () =>
        async ({ url }) => {
          if (url.pathname === '/ask') await asked.promise;
          if (url.pathname === '/changed') changed.resolve();
          return undefined;
        },
    );
    const tools = await open(portal, { locators: { confirm: 'dialog button' } });
    try {
      await tools.look(signal);
      const dialog = await tools.openRotateDialog(signal);
      asked.resolve();
      await changed.promise;
      await expect(dialog.press(signal)).rejects.toThrow(/said something else than before; it was not pressed/);
      expect({ rotations: portal.rotations, others: portal.others }).toEqual({ rotations: 0, others: [] });
    } finally {
      await tools.close();
    }
  },
);

test('a page that changes to another client under the open dialog is not pressed', async () => {
  portal = await servePortal((page) =>
    usual(page).replace('onclick="ask()"', `onclick="ask();document.querySelector('input').value='${page.other}'"`),
  );
  const tools = await open(portal);
  try {
    await tools.look(signal);
    await tools.openRotateDialog(signal);
    await expect(tools.shown(signal)).rejects.toMatchObject({ category: 'portal-changed', pressed: 'no' });
    expect(portal.rotations).toBe(0);
  } finally {
    await tools.close();
  }
});

test('a reminder over the button, whose OK rotates, is not answered with OK', async () => {
  portal = await servePortal(
    (page) =>
      `${usual(page)}<div id="r" style="position:fixed;inset:0;background:#fff">Rotate your old client secret now? <button onclick="press();r.remove()">OK</button></div>`,
  );
  const tools = await open(portal, { times: { clickMs: 1_100 } });
  try {
    await tools.look(signal);
    await expect(tools.openRotateDialog(signal)).rejects.toThrow(/something lies over it/);
  } finally {
    await tools.close();
  }
});
