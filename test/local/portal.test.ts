import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningProvider, type StartProviderOptions, startProvider } from '../../local/start-provider.ts';

let running: RunningProvider;
let portal: string;
afterEach(() => running.close());

async function start(options?: StartProviderOptions): Promise<void> {
  running = await startProvider(options);
  portal = new URL(running.loginUrl).origin;
}

describe('over HTTP', () => {
  const logIn = (fields: Record<string, string> = {}, origin = portal) =>
    fetch(running.loginUrl, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ ...running.login, ...fields }),
      redirect: 'manual',
    });

  async function session(): Promise<{ cookie: string; csrfToken: string }> {
    const cookie = (await logIn()).headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await (await fetch(running.developerToolsUrl, { headers: { cookie } })).text();
    return { cookie, csrfToken: page.match(/name="csrf-token" content="([^"]+)"/)?.[1] ?? '' };
  }

  const rotate = (headers: Record<string, string>) =>
    fetch(`${running.developerToolsUrl}/rotate-secret`, { method: 'POST', headers: { origin: portal, ...headers } });

  it('every page of the account asks for the login first and shows no secret', async () => {
    await start();
    for (const path of ['/overview', '/account', '/account/developer-tools', '/account/developer-tools/client']) {
      const response = await fetch(portal + path);
      expect(response.url).toBe(`${running.loginUrl}?return_to=${encodeURIComponent(path)}`);
      expect(await response.text()).not.toContain(running.provider.issuedSecret());
    }
  });

  it('a login opens a session that scripts and other sites cannot use, and leads back to where one came from', async () => {
    await start();
    const response = await logIn({ return_to: '/account/developer-tools' });
    expect([response.status, response.headers.get('location')]).toEqual([302, '/account/developer-tools']);
    expect(response.headers.get('set-cookie')).toMatch(
      /^tradeaware_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const { cookie } = await session();
    const page = await fetch(running.developerToolsUrl, { headers: { cookie } });
    expect(await page.text()).toContain(running.provider.issuedSecret());
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('a login never leads to another site', async () => {
    await start();
    for (const return_to of ['https://example.com/', '//example.com', '/\\example.com', '']) {
      expect((await logIn({ return_to })).headers.get('location')).toBe('/overview');
    }
  });

  it('a wrong password is said on the page and counted, and opens no session', async () => {
    await start();
    const response = await logIn({ password: 'wrong' });
    expect([response.status, response.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await response.text()).toMatch(/role="alert">.*Wrong email or password/);
    expect(running.provider.counters.logins).toEqual({ attempts: 1, succeeded: 0 });
  });

  it('a form that another site posts is refused before it is looked at', async () => {
    await start();
    expect((await logIn({}, 'https://example.com')).status).toBe(403);
    expect(running.provider.counters.logins.attempts).toBe(0);
  });

  it('a rotate request needs the session and its CSRF token', async () => {
    await start();
    const { cookie, csrfToken } = await session();
    expect((await rotate({ 'x-csrf-token': csrfToken })).status).toBe(401);
    expect((await rotate({ cookie })).status).toBe(403);
    expect((await rotate({ cookie, 'x-csrf-token': 'wrong' })).status).toBe(403);
    expect(running.provider.counters).toMatchObject({ rotateRequests: 0, presses: 0 });
    const response = await rotate({ cookie, 'x-csrf-token': csrfToken });
    expect((await response.json()).client_secret).toBe(running.provider.issuedSecret());
    expect(running.provider.counters).toMatchObject({ rotateRequests: 1, presses: 1 });
  });

  it('signing out ends the session', async () => {
    await start();
    const { cookie, csrfToken } = await session();
    const body = new URLSearchParams({ csrf_token: csrfToken });
    const options = { method: 'POST', headers: { cookie, origin: portal }, body, redirect: 'manual' } as const;
    expect((await fetch(`${portal}/logout`, options)).status).toBe(302);
    expect((await rotate({ cookie, 'x-csrf-token': csrfToken })).status).toBe(401);
  });

  it('answers as late as it is told, with the effect already there', async () => {
    await start({ portalResponseDelayMs: 60 });
    const { cookie, csrfToken } = await session();
    const pressed = new Promise((resolve) =>
      running.provider.onFact(({ fact }) => fact === 'press' && resolve('press')),
    );
    const answered = rotate({ cookie, 'x-csrf-token': csrfToken }).then(() => 'answer');
    expect(await Promise.race([pressed, answered])).toBe('press');
    expect(await answered).toBe('answer');
  });
});

describe('in a browser', () => {
  let browser: Browser;
  let directory: string;
  let page: Page;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'portal-test-'));
    Object.assign(process.env, { TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' });
    const { default: lambdaChromium } = await import('@sparticuz/chromium');
    const executablePath = await lambdaChromium.executablePath();
    // The package's font configuration knows only /tmp, and without a font Chromium dies at the first input field.
    const fontConfiguration = join(directory, 'fonts', 'fonts.conf');
    await writeFile(fontConfiguration, (await readFile(fontConfiguration, 'utf8')).replaceAll('/tmp', directory));
    const args = ['--no-sandbox', '--no-zygote', '--disable-dev-shm-usage', '--disable-gpu'];
    browser = await chromium.launch({ executablePath, args });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(options?: StartProviderOptions): Promise<void> {
    await start(options);
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
  }
  afterEach(() => page?.close());

  async function logIn(): Promise<void> {
    await page.getByLabel('Email address').fill(running.login.username);
    await page.getByLabel('Password').fill(running.login.password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  const section = (name: string) => page.getByRole('region', { name, exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const dialog = () => page.getByRole('dialog');
  const clientSecret = () => page.getByRole('textbox', { name: 'Client Secret', exact: true });

  async function openDialog(title: string, label: string): Promise<void> {
    await button('Danger Zone').click();
    await section(title).getByRole('button', { name: label, exact: true }).click();
    await dialog().waitFor();
  }

  it('a person rotates by the documented steps, through the menu: one login, one press, nothing else', async () => {
    await open();
    const strangeRequests: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(`${portal}/`) && !request.url().startsWith('data:'))
        strangeRequests.push(request.url());
    });
    const oldSecret = running.provider.issuedSecret();

    await page.goto(portal);
    await logIn();
    await button('Open account menu').click();
    await page.getByRole('link', { name: 'Manage Account' }).click();
    await page.getByRole('link', { name: 'Developer Tools' }).click();
    expect(await clientSecret().inputValue()).toBe(oldSecret);
    expect(await page.getByRole('textbox', { name: 'Client ID' }).inputValue()).toBe(running.client.clientId);
    expect(await section('Rotate Secret').isVisible()).toBe(false);
    await openDialog('Rotate Secret', 'Rotate');
    await dialog().getByRole('button', { name: 'Rotate' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('status').getByText('Client secret rotated').waitFor();

    const newSecret = await clientSecret().inputValue();
    expect(newSecret).not.toBe(oldSecret);
    expect(newSecret).toBe(running.provider.issuedSecret());
    const { provider, client } = running;
    expect(provider.mintToken(client.clientId, newSecret)).toBeDefined();
    expect(provider.mintToken(client.clientId, oldSecret)).toBeUndefined();
    expect(provider.counters).toMatchObject({
      presses: 1,
      rotateRequests: 1,
      otherClicks: {},
      logins: { attempts: 1, succeeded: 1 },
    });
    expect(strangeRequests).toEqual([]);
  });

  it('the dialog keeps the focus, and Cancel and Escape close it without a press', async () => {
    await open();
    await page.goto(running.developerToolsUrl);
    await logIn();
    await openDialog('Rotate Secret', 'Rotate');
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const visited = [await focused()];
    for (const key of ['Tab', 'Tab', 'Shift+Tab', 'Shift+Tab']) {
      await page.keyboard.press(key);
      visited.push(await focused());
    }
    expect(visited).toEqual(['Cancel', 'Rotate', 'Cancel', 'Rotate', 'Cancel']);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await focused()).toBe('Rotate');
    await page.keyboard.press('Enter');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
    expect(running.provider.counters).toMatchObject({ rotateRequests: 0, presses: 0 });
  });

  it('every other button that could do harm is counted and rotates nothing', async () => {
    await open();
    const secret = running.provider.issuedSecret();
    await page.goto(running.developerToolsUrl);
    await logIn();
    await section('Webhooks').getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('status').getByText('Webhook signing key rotated').waitFor();
    await openDialog('Delete client', 'Delete');
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('alert').waitFor();
    expect(running.provider.counters).toMatchObject({
      otherClicks: { 'rotate-webhook-key': 1, 'delete-client': 1, 'confirm-delete-client': 1 },
      rotateRequests: 0,
    });
    expect(running.provider.issuedSecret()).toBe(secret);
  });

  it('where the field lags, an open page shows the old secret first and follows by itself', async () => {
    const clock = { nowMs: 0 };
    await open({ fieldLagMs: 5_000, now: () => clock.nowMs });
    const oldSecret = running.provider.issuedSecret();
    await page.goto(running.developerToolsUrl);
    await logIn();
    await openDialog('Rotate Secret', 'Rotate');
    const looksAgain = page.waitForResponse(`${running.developerToolsUrl}/client`);
    await dialog().getByRole('button', { name: 'Rotate' }).click();
    await looksAgain;
    expect(await clientSecret().inputValue()).toBe(oldSecret);
    clock.nowMs = 5_000;
    const newSecret = running.provider.issuedSecret();
    await page.waitForFunction(
      (value) => [...document.querySelectorAll('input')].some((i) => i.value === value),
      newSecret,
    );
  });

  it('a session that ended leads back to the login at the next request', async () => {
    await open();
    await page.goto(running.developerToolsUrl);
    await logIn();
    await openDialog('Rotate Secret', 'Rotate');
    await page.context().clearCookies();
    await dialog().getByRole('button', { name: 'Rotate' }).click();
    await page.waitForURL(`${running.loginUrl}?return_to=*`);
    expect(running.provider.counters).toMatchObject({ rotateRequests: 0, presses: 0 });
  });
});
