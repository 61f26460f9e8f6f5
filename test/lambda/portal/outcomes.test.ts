import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { PortalBrowser } from '../../../lambda/portal/browser.ts';
import { guardedClick } from '../../../lambda/portal/page-actions.ts';
import { RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { chromiumProcesses } from './processes.ts';
import { type Answer, driver, html, open, parts, type SmallPortal, servePortal, usual } from './small-portal.ts';

const signal = AbortSignal.timeout(600_000);
let portal: SmallPortal;
afterEach(() => portal?.close());

const kill = (type: string | undefined) => {
  for (const pid of chromiumProcesses(type)) process.kill(pid, 'SIGKILL');
};

async function pressed(
  answer: (portal: SmallPortal) => Answer,
  page = usual,
  profile = {},
): Promise<{ error: RotationError | undefined; seen: string; before: string }> {
  portal = await servePortal(page, answer);
  const tools = await open(portal, profile);
  try {
    const before = await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await tools.shown(signal);
    const error = await dialog.press(signal).then(
      () => undefined,
      (thrown: unknown) => thrown as RotationError,
    );
    if (error) {
      expect(error).toBeInstanceOf(RotationError);
      expect(error.pressed).toBe('unknown');
    }
    return { error, seen: await tools.look(signal), before };
  } finally {
    await tools.close();
  }
}
const onRotate =
  (reply: (rotate: () => void) => ReturnType<Answer>): ((portal: SmallPortal) => Answer) =>
  (it) =>
  ({ method, url }) =>
    method === 'POST' && url.pathname === '/rotate' ? reply(() => it.rotate()) : undefined;

test('what the dialog complains about is told', async () => {
  const page: typeof usual = (it) =>
    usual(it).replace(
      /<dialog[\s\S]*<\/dialog>/,
      parts.dialog(
        `<p role="alert" id="a"></p><button onclick="fetch('/rotate',{method:'POST'}).then(()=>{a.textContent='Something went wrong.'})">Rotate</button>`,
      ),
    );
  const { error } = await pressed(() => () => undefined, page);
  expect(error?.message).toMatch(/went wrong/);
});

test.each<[string, (rotate: () => void) => ReturnType<Answer>, string, RegExp]>([
  [
    'an answer that comes after the dialog has gone, with what the page says to it',
    () => new Response('', { status: 429 }),
    `<button onclick="fetch('/rotate',{method:'POST'}).then(()=>{toast.textContent='Rotate again in 24 h.'});this.closest('dialog').close()">Rotate</button>`,
    /answered 429 to POST \/rotate, and the page says: Rotate again in 24 h/,
  ],
  [
    'a connection that breaks off',
    () => 'reset',
    `<button onclick="fetch('/rotate',{method:'POST'}).catch(()=>0);this.closest('dialog').close()">Rotate</button>`,
    /the connection broke off at POST \/rotate/,
  ],
  [
    'a second window.confirm',
    () => undefined,
    `<button onclick="this.closest('dialog').close();if(confirm('Really rotate?'))press()">Rotate</button>`,
    /the page asked again: Really rotate\?/,
  ],
])('%s is told', async (_name, reply, button, words) => {
  portal = await servePortal(
    (page) =>
      `${usual(page).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog(button))}<div id="toast" role="alert"></div>`,
    onRotate(reply),
  );
  const tools = await open(portal);
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    const told = async () => {
      await dialog.press(signal);
      for (;;) await tools.shown(signal);
    };
    await expect(told()).rejects.toMatchObject({ what: expect.stringMatching(words), pressed: 'unknown' });
    expect(portal.rotations).toBe(0);
  } finally {
    await tools.close();
  }
});

test('a dialog that asks once more is told, and left alone', async () => {
  portal = await servePortal(
    (page) =>
      `${usual(page).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog(`<button onclick="this.closest('dialog').close();more.showModal()">Rotate</button>`))}<dialog id="more"><p>Are you absolutely sure that you want to rotate?</p><button onclick="press()">Rotate</button></dialog>`,
  );
  const tools = await open(portal);
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await dialog.press(signal);
    await expect(tools.look(signal)).rejects.toThrow(/another dialog asked once more, and was left alone: Are you abs/);
    await tools.look(signal);
    expect(portal.rotations).toBe(0);
  } finally {
    await tools.close();
  }
});

test('what the dialog says that stays open is told, whatever it is', async () => {
  const page: typeof usual = (it) =>
    usual(it).replace(
      /<dialog[\s\S]*<\/dialog>/,
      parts.dialog(
        `<p id="a"></p><button onclick="fetch('/rotate',{method:'POST'}).then(()=>{a.textContent='You can rotate again in 24 h.'})">Rotate</button>`,
      ),
    );
  const { error } = await pressed(
    onRotate(() => Response.json({})),
    page,
  );
  expect(error?.message).toMatch(/stayed open for 1500 ms, and says: You can rotate again in 24 h/);
});

test.each([
  ['the tab', 'renderer'],
  ['the browser', undefined],
])('a crash of %s at the press is survived by a new look', async (_name, type) => {
  const { error, seen } = await pressed(
    onRotate((rotate) => {
      rotate();
      kill(type);
      return 'never';
    }),
  );
  expect(error?.message).toMatch(/crashed|broke off|closed/);
  expect(seen).toBe(portal.secret());
  expect(portal.rotations).toBe(1);
});

test('a secret that only a reload shows is shown by a look', async () => {
  const page: typeof usual = (it) => usual(it).replace('data-secret', '');
  const { error, seen, before } = await pressed(() => () => undefined, page);
  expect(error).toBeUndefined();
  expect(seen).toBe(portal.secret());
  expect(seen).not.toBe(before);
});

test('a session that ends is entered anew once more, and not a third time', async () => {
  let valid = false;
  portal = await servePortal(usual, (it) => ({ url, method, body }) => {
    if (url.pathname === '/login' && method === 'POST') {
      it.logins.push(new URLSearchParams(body).get('password') ?? '');
      valid = true;
      return new Response(null, { status: 303, headers: { location: '/developer-tools' } });
    }
    return url.pathname === '/developer-tools' && !valid
      ? html(
          '<form method="post" action="/login"><input type="email" name="username"><input type="password" name="password"><button>Log in</button></form>',
        )
      : undefined;
  });
  const tools = await open(portal);
  await tools.look(signal);
  valid = false;
  await tools.look(signal);
  expect(portal.logins).toHaveLength(2);
  valid = false;
  await expect(tools.look(signal)).rejects.toMatchObject({ category: 'login' });
  expect(portal.logins).toHaveLength(2);
  await tools.close();
});

test('a click that Playwright gave up while it waited was certainly not made', async () => {
  const page: typeof usual = (it) =>
    usual(it).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog(`<button id="b" onclick="press()">Rotate</button>`));
  portal = await servePortal(page);
  const tools = await open(portal);
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await tools.shown(signal);
    await dialog.cancel(signal).catch(() => undefined);
    await expect(dialog.press(signal)).rejects.toMatchObject({ pressed: 'no' });
    expect(portal.rotations).toBe(0);
  } finally {
    await tools.close();
  }
});

test('a press that leads to another page is one, however long that takes to come', async () => {
  const form = `<p>This dialog closes in <span id="n">9999</span> ms.</p><form method="post" action="/rotate"><button>Rotate</button></form>`;
  const countdown = '<script>setInterval(()=>{n.textContent=n.textContent-1},20)</script>';
  const { error, seen } = await pressed(
    onRotate(async (rotate) => {
      rotate();
      return sleep(1_500, new Response(null, { status: 303, headers: { location: '/developer-tools' } }));
    }),
    (it) => usual(it).replace(/<dialog[\s\S]*<\/dialog>/, parts.dialog(form + countdown)),
    { times: { answerMs: 8_000 } },
  );
  expect(error).toBeUndefined();
  expect(seen).toBe(portal.secret());
  expect(portal.rotations).toBe(1);
});

test('what Playwright leaves behind of a click that was given up keeps the press from nothing', async () => {
  portal = await servePortal(
    (it) => `${usual(it)}<script>let downs = 0; addEventListener('mousedown', () => { downs += 1 })</script>`,
  );
  const start = vi.spyOn(PortalBrowser, 'start');
  const tools = await open(portal);
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await tools.shown(signal);
    const browser: PortalBrowser = await start.mock.results[0]?.value;
    const { page } = browser;
    const isBlocked = async () => {
      const before = await page.evaluate('downs');
      await page.mouse.click(1, 1, { button: 'middle' });
      return (await page.evaluate('downs')) === before;
    };
    const title = page.getByRole('heading', { name: 'Rotate secret?' });
    for (let ms = 1; !(await isBlocked()); ms = (ms % 100) + 1)
      await guardedClick(page, title.click({ timeout: ms })).catch(() => undefined);
    await dialog.press(signal);
    expect(portal.rotations).toBe(1);
  } finally {
    start.mockRestore();
    await tools.close();
  }
});

test('a click for which it has become too late was certainly not made', async () => {
  portal = await servePortal(usual);
  const tools = await open(portal);
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await expect(dialog.press(signal, 0)).rejects.toMatchObject({ pressed: 'no' });
    expect(portal.rotations).toBe(0);
  } finally {
    await tools.close();
  }
});

test('a button that has got another name since it was looked at is not pressed', async () => {
  portal = await servePortal((it) =>
    usual(it).replace(
      /<dialog[\s\S]*<\/dialog>/,
      parts.dialog(
        `<input type="submit" value="Rotate" id="b" style="width:9em" onclick="other('x')"><script>onkeydown=(e)=>{e.preventDefault();b.value='Remove'}</script>`,
      ),
    ),
  );
  const tools = await open(portal, { times: { clickMs: 500 } });
  try {
    await tools.look(signal);
    const dialog = await tools.openRotateDialog(signal);
    await dialog.cancel(signal).catch(() => undefined);
    await expect(dialog.press(signal)).rejects.toMatchObject({ pressed: 'no' });
    expect(portal.others).toEqual([]);
  } finally {
    await tools.close();
  }
});

test('after a cancelled dialog nothing was pressed', async () => {
  portal = await servePortal(usual);
  const driven = driver({ preflightOpensDialog: true });
  const tools = await driven.open(portal.account, signal);
  await tools.look(signal);
  await tools.rehearse(signal);
  expect(driven.findings().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['client-id', 'client-secret', 'rotate', 'dialog', 'confirm', 'page']),
  );
  expect(JSON.stringify(driven.findings())).not.toContain(portal.secret());
  expect(portal.rotations).toBe(0);
  await tools.close();
});

test('a page that is not understood is in the report, without its values', async () => {
  const page: typeof usual = (it) => usual(it).replaceAll('Client ID', 'Kennung');
  const home = new Response(null, { status: 303, headers: { location: '/developer-tools' } });
  portal = await servePortal(
    page,
    () =>
      ({ url }) =>
        url.pathname === '/' ? home.clone() : undefined,
  );
  const driven = driver({ times: { pageMs: 900 } });
  await expect(driven.open(portal.account, signal)).rejects.toThrow(/neither the client id/);
  expect(driven.findings().find(({ name }) => name === 'page')?.detail).toMatch(/Kennung/);
  expect(JSON.stringify(driven.findings())).not.toContain(portal.secret());
});
