/** Each trait of the simulated portal looks and behaves as it claims: driven by hand, by a test that knows the traits. */
import { Secret, TOTP } from 'otpauth';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { foreignLoginUrl } from '../../local/portal/login.ts';
import { type Text, translate } from '../../local/portal/texts.ts';
import { defaultTraits, isPossible, type PortalTraits, renderings, troubles } from '../../local/portal/traits.ts';
import { type RunningProvider, startProvider } from '../../local/start-provider.ts';
import { executionEnvironment, temporaryDirectory } from '../../local/temporary-directory.ts';
import { hasSqlite } from '../system-libraries.ts';

let running: RunningProvider;
let portal: string;
let traits: PortalTraits;
let t: (text: Text) => string;

async function start(chosen: Partial<PortalTraits>): Promise<void> {
  traits = { ...defaultTraits, ...chosen };
  t = translate(traits.language);
  // A time step of one-time codes begins with the test, so that none ends between making a code and typing it.
  const sinceStepMs = Date.now() % 30_000;
  running = await startProvider({ traits: chosen, now: () => Date.now() - sinceStepMs });
  portal = new URL(running.loginUrl).origin;
}
afterEach(() => running?.close());

/**
 * Every choice of every rendering is in some row. What cannot be beside the choices before it waits for the next row,
 * so the traits take turns in coming first.
 */
function everyChoice(): PortalTraits[] {
  const missing = new Map(Object.entries(renderings).map(([trait, choices]) => [trait, new Set<string>(choices)]));
  const made: PortalTraits[] = [];
  while ([...missing.values()].some((choices) => choices.size > 0)) {
    const chosen: Partial<PortalTraits> = {};
    for (const [trait, choices] of [...missing].sort(([, a], [, b]) => b.size - a.size)) {
      const all: readonly string[] = renderings[trait as keyof typeof renderings];
      const [next] = [...choices, ...all].filter((choice) => isPossible({ ...chosen, [trait]: choice }));
      Object.assign(chosen, { [trait]: next });
      choices.delete(next ?? '');
    }
    made.push({ ...defaultTraits, ...chosen });
  }
  return made;
}
const rows = everyChoice();

describe('in a browser', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    Object.assign(process.env, { TMPDIR: directory.path, AWS_EXECUTION_ENV: executionEnvironment });
    const { default: lambdaChromium } = await import('@sparticuz/chromium');
    const args = [
      '--no-sandbox',
      '--no-zygote',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ];
    browser = await chromium.launch({ executablePath: await lambdaChromium.executablePath(), args });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await directory.remove();
  });
  afterEach(() => context?.close());

  async function open(chosen: Partial<PortalTraits>): Promise<void> {
    await start(chosen);
    context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
    // As in a browser with a person before it.
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    page = await context.newPage();
  }

  const button = (name: Text, within: Page | Locator = page) =>
    within.getByRole('button', { name: t(name), exact: true });

  function loginField(name: 'username' | 'password' | 'code'): Locator {
    const known = {
      username: { label: 'Email address', autocomplete: 'username', type: 'email' },
      password: { label: 'Password', autocomplete: 'current-password', type: 'password' },
      code: { label: 'One-time code', autocomplete: 'one-time-code', type: 'text' },
    } as const;
    const { label, autocomplete, type } = known[name];
    const by: Record<PortalTraits['loginFields'], Locator> = {
      labelled: page.getByLabel(t(label), { exact: true }),
      'placeholder-only': page.getByPlaceholder(t(label), { exact: true }),
      'autocomplete-only': page.locator(`input[autocomplete=${autocomplete}]`),
      'type-only': page.locator(`input[type=${type}]:visible`),
    };
    return by[traits.loginFields];
  }

  async function logIn(): Promise<void> {
    if (traits.session === 'already-signed-in') return;
    const { username, password, totp_secret } = running.login;
    await loginField('username').fill(username);
    expect(new URL(page.url()).origin).toBe(traits.loginOrigin === 'same' ? portal : running.loginOrigin);
    expect(await loginField('password').count()).toBe(traits.login === 'one-page' ? 1 : 0);
    if (traits.loginFields !== 'labelled') expect(await page.locator('label').count()).toBe(0);
    if (traits.login === 'identifier-first') await button('Continue').click();
    await loginField('password').fill(password);
    await button(traits.login === 'one-page' ? 'Log in' : 'Continue').click();
    if (traits.secondFactor === 'totp') {
      await loginField('code').fill(
        new TOTP({ secret: Secret.fromBase32(totp_secret ?? '') }).generate({ timestamp: running.provider.now() }),
      );
      await button('Continue').click();
    }
    if (traits.interstitial === 'stay-signed-in') await button('Yes').click();
  }

  async function toDeveloperTools(): Promise<void> {
    await page.goto(running.developerToolsUrl);
    await logIn();
    if (traits.arrival !== 'redirect-back') {
      await (traits.arrival === 'moved-404'
        ? page.getByRole('heading', { name: t('Page not found') }).waitFor()
        : page.waitForURL(`${portal}/overview`));
    }
    if (traits.arrival === 'lands-on-home') await page.goto(running.developerToolsUrl);
    if (traits.arrival.startsWith('moved')) {
      const [opener, entry] =
        traits.menu === 'profile'
          ? (['Open account menu', 'Manage Account'] as const)
          : (['User menu', 'Settings'] as const);
      await button(opener).click();
      await page.getByRole(traits.menu === 'profile' ? 'link' : 'menuitem', { name: t(entry) }).click();
      await page.getByRole('link', { name: t('Developer Tools') }).click();
    }
    if (traits.entries === 'api-access') await page.getByRole('link', { name: t('API Access') }).click();
  }

  const clientView = () =>
    traits.clients === 'one'
      ? page.locator('main')
      : page.getByRole('region', { name: running.client.name, exact: true });

  /** Also checks that the value is where its form has it, and nowhere else. */
  async function read(label: 'Client ID' | 'Client Secret'): Promise<string> {
    const form = traits[label === 'Client ID' ? 'clientId' : 'clientSecret'];
    const field = clientView().getByLabel(t(label), { exact: true });
    const beside = clientView()
      .locator('.field, .pair, dl, tr')
      .filter({ has: page.getByText(t(label), { exact: true }) });
    switch (form) {
      case 'text-input':
      case 'textarea':
        expect(await field.evaluate((e) => e.tagName)).toBe(form === 'textarea' ? 'TEXTAREA' : 'INPUT');
        return field.inputValue();
      case 'password-input':
        expect(await field.getAttribute('type')).toBe('password');
        return field.inputValue();
      case 'password-input-with-reveal': {
        const parent = field.locator('..');
        expect(await field.getAttribute('type')).toBe('password');
        await button('Show', parent).click();
        expect(await field.getAttribute('type')).toBe('text');
        await button('Hide', parent).click();
        return field.inputValue();
      }
      case 'masked-until-reveal':
        await clientView().waitFor();
        if (await button('Reveal', beside).isVisible()) {
          expect(await beside.locator('code').textContent()).toMatch(/^•+$/);
          await button('Reveal', beside).click();
        }
        return (await beside.locator('code').textContent()) ?? '';
      case 'copy-button-only':
        await button('Copy', beside).click();
        await page.getByRole('status').getByText(t('Copied to clipboard')).last().waitFor();
        return page.evaluate(() => navigator.clipboard.readText());
      default:
        return (await beside.locator('[data-shows]').textContent()) ?? '';
    }
  }

  async function openDangerZone(): Promise<void> {
    const name = { name: t('Danger Zone'), exact: true };
    const opener: Partial<Record<PortalTraits['dangerZone'], Locator>> = {
      details: clientView().locator('summary'),
      'plain-heading': clientView().getByRole('heading', name),
      tab: clientView().getByRole('tab', name),
      'tab-beside-credentials': clientView().getByRole('tab', name),
    };
    if (traits.dangerZone === 'open') return;
    expect(await dangerRow().isVisible()).toBe(false);
    const control = opener[traits.dangerZone] ?? clientView().getByRole('button', name);
    await control.click();
    if (traits.dangerZone === 'closes-again') {
      await dangerRow().waitFor({ state: 'hidden' });
      await control.click();
    }
    await dangerRow().waitFor();
  }

  /** The red "Rotate" of "Rotate Secret". */
  function dangerRow(): Locator {
    const title = t('Rotate Secret');
    const rotate = { name: t('Rotate'), exact: true };
    const by: Record<PortalTraits['rotateSecret'], Locator> = {
      heading: clientView()
        .getByRole('region', { name: title, exact: true, includeHidden: true })
        .getByRole('button', rotate),
      'heading-without-section': clientView().locator(`h3:text-is("${title}") + p + p`).getByRole('button', rotate),
      'row-label': clientView()
        .locator('.row')
        .filter({ has: page.getByText(title, { exact: true }) })
        .getByRole('button', rotate),
      description: clientView().getByRole('button', { ...rotate, description: new RegExp(`^\\s*${title}:`) } as never),
    };
    return by[traits.rotateSecret];
  }

  async function press(): Promise<void> {
    if (traits.dialog === 'window-confirm') {
      const asked = page.waitForEvent('dialog');
      await Promise.all([dangerRow().click(), asked.then((dialog) => dialog.accept())]);
      expect((await asked).message()).toContain(t('Rotate client secret?'));
      return;
    }
    await dangerRow().click();
    const dialog = page.getByRole(traits.dialog === 'alertdialog' ? 'alertdialog' : 'dialog', {
      name: t('Rotate client secret?'),
    });
    await dialog.waitFor();
    // Asked until it holds: a slow single-page app replaces a dialog that has just opened.
    const place = () => dialog.evaluate((e) => [e instanceof HTMLDialogElement, e.closest('main') !== null]);
    await expect.poll(place).toEqual([traits.dialog === 'native', traits.dialog === 'in-section']);
    const confirm = button(traits.confirmLabel, dialog);
    const typed: Partial<Record<PortalTraits['confirmation'], string>> = {
      'type-word': t('ROTATE'),
      'type-and-tick': t('ROTATE'),
      'type-client-id': running.client.clientId,
      'type-client-name': running.client.name,
    };
    const [word, tick] = [typed[traits.confirmation], traits.confirmation.endsWith('tick')];
    if (word || tick || traits.confirmEnabled === 'late') expect(await confirm.isEnabled()).toBe(false);
    if (word) expect(await dialog.textContent()).toContain(word);
    if (word) await dialog.getByRole('textbox').fill(word);
    if (tick) await dialog.getByRole('checkbox').check();
    await confirm.click();
  }

  async function rotate(): Promise<void> {
    const { provider, client } = running;
    const before = provider.issuedSecret();
    await page.addLocatorHandler(
      page.locator('[data-dismissible]').first(),
      (overlay) => overlay.getByRole('button').first().click(),
      { noWaitAfter: true },
    );
    await toDeveloperTools();
    expect(await page.locator('html').getAttribute('lang')).toBe(traits.language);
    expect(await read('Client ID')).toBe(client.clientId);
    expect(await read('Client Secret')).toBe(before);
    await openDangerZone();
    await press();
    await page.getByRole('status').getByText(t('Client secret rotated')).waitFor();
    const issued = provider.issuedSecret();
    expect(issued).not.toBe(before);
    if (traits.newSecret !== 'at-once') expect(await page.content()).not.toContain(issued);
    const credentials = clientView().getByRole('tab', { name: t('Credentials') });
    const look = async () => {
      if (traits.dangerZone === 'tab-beside-credentials') await credentials.click();
      return read('Client Secret');
    };
    const needsReload =
      traits.newSecret === 'after-reload' || (traits.newSecret === 'later' && traits.rendering === 'form-posts');
    await expect
      .poll(async () => {
        if (needsReload) await page.reload();
        return look();
      })
      .toBe(issued);
    const [logins, codes] = [Number(traits.session === 'none'), Number(traits.secondFactor === 'totp')];
    expect(provider.counters).toMatchObject({
      presses: 1,
      rotateRequests: 1,
      otherClicks: {},
      logins: { attempts: logins, succeeded: logins },
      secondFactor: { attempts: codes, succeeded: codes },
    });
  }

  it.each(rows.map((row, number) => ({ number, row })))(
    'a person rotates on every rendering: row $number',
    async ({ row }) => {
      await open(row);
      await rotate();
    },
  );

  /** Chosen while the portal runs: nobody has to log in again. */
  async function choose(chosen: Partial<PortalTraits>): Promise<void> {
    running.portalSettings.traits = { ...defaultTraits, ...chosen };
    await page.goto(running.developerToolsUrl);
  }

  it('obstacles on Developer Tools are what they are named after', async () => {
    await open({});
    await page.goto(running.developerToolsUrl);
    await logIn();
    const counted = () => running.provider.counters;
    const alert = page.getByRole('dialog');
    const openRotate = async () => {
      await button('Danger Zone').click();
      await dangerRow().click();
    };

    await choose({ obstacle: 'no-client' });
    await button('Yes, create client').click();
    await expect.poll(counted).toMatchObject({ otherClicks: { 'create-client': 1 } });
    expect(await page.content()).not.toContain(running.client.clientId);

    await choose({ obstacle: 'other-client-id' });
    expect(await read('Client ID')).toBe(running.provider.otherClient.clientId);
    await choose({ obstacle: 'two-danger-zones' });
    expect(await button('Danger Zone').count()).toBe(2);
    await choose({ obstacle: 'two-rotate-candidates' });
    await button('Danger Zone').click();
    expect(await dangerRow().count()).toBe(2);
    await choose({ obstacle: 'no-rotate-button' });
    await button('Danger Zone').click();
    await button('Revoke').waitFor();
    expect(await dangerRow().count()).toBe(0);
    await choose({ obstacle: 'renamed-button' });
    await button('Danger Zone').click();
    await button('Regenerate').waitFor();
    expect(await dangerRow().count()).toBe(0);

    for (const [obstacle, says] of [
      ['dialog-speaks-of-deleting', 'Delete this client?'],
      ['dialog-speaks-of-revoking-all', 'revokes all tokens'],
      ['dialog-speaks-of-billing', 'your next invoice'],
    ] as const) {
      await choose({ obstacle });
      await openRotate();
      await alert.getByText(says).waitFor();
      expect(await button('Rotate', alert).count()).toBe(1);
    }
    await choose({ obstacle: 'renamed-confirm-button' });
    await openRotate();
    await button('Replace', alert).waitFor();
    expect(await button('Rotate', alert).count()).toBe(0);
    await choose({ obstacle: 'two-confirm-buttons' });
    await openRotate();
    await alert.waitFor();
    expect(await button('Rotate', alert).count()).toBe(2);

    expect(counted()).toMatchObject({ rotateRequests: 0, presses: 0, logins: { attempts: 1 } });
    await choose({ obstacle: 'rotates-without-dialog' });
    await openRotate();
    await page.getByText('Client secret rotated').waitFor();
    expect(counted()).toMatchObject({ rotateRequests: 1, presses: 1, otherClicks: { 'create-client': 1 } });
  });

  it('of two clients, each red button is counted as its own', async () => {
    await open({ clients: 'two', dangerZone: 'open', session: 'already-signed-in' });
    await page.goto(running.developerToolsUrl);
    const other = page.getByRole('region', { name: running.provider.otherClient.name, exact: true });
    await button('Rotate', other).click();
    await button('Rotate', page.getByRole('dialog')).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    expect(running.provider.counters).toMatchObject({
      otherClicks: { 'other-rotate-secret': 1, 'confirm-other-rotate-secret': 1 },
      rotateRequests: 0,
      logins: { attempts: 0 },
    });
  });

  it.skipIf(!hasSqlite)(
    'a browser does not trust the self-signed certificate, and everything else is the same behind it',
    async () => {
      await open({ obstacle: 'self-signed-certificate' });
      await expect(page.goto(running.developerToolsUrl)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
      const trusting = await browser.newPage({ ignoreHTTPSErrors: true });
      await trusting.goto(running.developerToolsUrl);
      await trusting.getByLabel('Password').waitFor();
      await trusting.close();
    },
  );

  it.each([
    ['500-with-effect', 1, 'An error occurred on our side.'],
    ['500-without-effect', 0, 'An error occurred on our side.'],
    ['dialog-error', 0, 'could not be rotated'],
    ['reset-with-effect', 1, 'Something went wrong.'],
    ['reset-without-effect', 0, 'Something went wrong.'],
    ['no-answer-with-effect', 1, undefined],
    ['no-answer-without-effect', 0, undefined],
    ['session-expired', 0, undefined],
  ] as const)(
    'a press that ends in %s takes effect %i times, and the dialog tells no more than a real one would',
    async (outcome, presses, says) => {
      await open({ outcome, dangerZone: 'open', session: 'already-signed-in' });
      const before = running.provider.issuedSecret();
      await page.goto(running.developerToolsUrl);
      running.portalSettings.traits.session = 'none';
      await press();
      if (says) await page.getByRole('dialog').getByRole('alert').getByText(says).waitFor();
      else if (outcome === 'session-expired') await page.waitForURL(`${running.loginUrl}?**`);
      await expect.poll(() => running.provider.counters).toMatchObject({ rotateRequests: 1, presses });
      expect(running.provider.issuedSecret() === before).toBe(presses === 0);
      if (outcome !== 'session-expired') expect(await page.getByRole('dialog').isVisible()).toBe(true);
    },
  );

  it('where forms are posted, a press that fails is answered with a page', async () => {
    await open({ rendering: 'form-posts', dangerZone: 'open', outcome: '500-with-effect' });
    await page.goto(running.developerToolsUrl);
    await logIn();
    await press();
    await page.getByRole('heading', { name: 'Something went wrong' }).waitFor();
    expect(running.provider.counters).toMatchObject({ rotateRequests: 1, presses: 1 });
    running.portalSettings.traits.outcome = 'session-expired';
    await page.goto(running.developerToolsUrl);
    await press();
    await page.waitForURL(`${running.loginUrl}?**`);
    expect(running.provider.counters).toMatchObject({ rotateRequests: 2, presses: 1 });
  });

  it('where the connection was in use before, Chromium itself sends the request again: one click, two presses', async () => {
    await open({ outcome: 'reset-and-sent-again', dangerZone: 'open', session: 'already-signed-in' });
    await page.goto(running.developerToolsUrl);
    await press();
    await page.getByText('Client secret rotated').waitFor();
    expect(running.provider.counters).toMatchObject({ rotateRequests: 2, presses: 2 });
    await expect.poll(() => read('Client Secret')).toBe(running.provider.issuedSecret());
  });

  it('hostile pages do what they are named after', async () => {
    await open({ session: 'already-signed-in' });
    const counted = () => running.provider.counters.otherClicks;
    const goto = async (hostility: PortalTraits['hostility']) => {
      page = await context.newPage();
      running.portalSettings.traits.hostility = hostility;
      return page.goto(running.developerToolsUrl);
    };

    await goto('huge-secret');
    expect(
      await page.locator('input').evaluateAll((all) => all.map((e) => (e as HTMLInputElement).value.length)),
    ).toContain(10_000_000);
    await goto('rewritten-array-prototype');
    expect(await page.locator('body').evaluate(() => [1].map((one) => one))).toBe('rewritten');
    await goto('popup');
    const popup = page.waitForEvent('popup');
    await button('Danger Zone').click();
    await (await popup).waitForURL(`${running.loginOrigin}/elsewhere`);
    expect(counted()).toEqual({ 'popup-opened': 1 });
    await goto('download');
    const download = await page.waitForEvent('download');
    expect(download.suggestedFilename()).toBe('export.csv');
    await expect(goto('endless-redirects')).rejects.toThrow('ERR_TOO_MANY_REDIRECTS');
    expect((await goto('basic-auth-elsewhere'))?.status()).toBe(401);
    expect(new URL(page.url()).origin).toBe(running.loginOrigin);
    expect(counted()).not.toHaveProperty('credentials-given');

    let [loads, alerts] = [0, 0];
    context.on('request', () => {
      loads += 1;
    });
    goto('endless-reloads').catch(() => {});
    await expect.poll(() => loads).toBeGreaterThan(5);
    context.on('dialog', (dialog) => {
      alerts += 1;
      if (alerts < 5) dialog.accept().catch(() => {});
    });
    goto('endless-alerts').catch(() => {});
    await expect.poll(() => alerts).toBeGreaterThan(4);
  });
});

describe('over HTTP', () => {
  /** Submits the login form; follows no redirect. */
  const post = (path: string, fields: Record<string, string>, cookie = '') =>
    fetch(portal + path, {
      method: 'POST',
      headers: { origin: portal, cookie },
      body: new URLSearchParams(fields),
      redirect: 'manual',
    });
  const logIn = () => post('/login', { ...running.login, return_to: '/account/developer-tools' });

  it('a locked account refuses the right password', async () => {
    await start({ obstacle: 'account-locked' });
    const answer = await logIn();
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('Your account is locked')]);
    expect(running.provider.counters.logins).toEqual({ attempts: 1, succeeded: 0 });
  });

  it('a captcha stands before the password', async () => {
    await start({ obstacle: 'captcha' });
    expect(await (await fetch(running.loginUrl)).text()).toContain('Verify that you are human');
    expect((await logIn()).status).toBe(403);
    expect(running.provider.counters.logins.attempts).toBe(0);
  });

  it.each(['passkey-only', 'sso-only'] as const)('%s: there is no field for a password', async (obstacle) => {
    await start({ obstacle });
    const page = await (await fetch(running.loginUrl)).text();
    expect(page).toMatch(/Continue with (a passkey|single sign-on)/);
    expect(page).not.toMatch(/type="(password|email)"/);
  });

  it.each(['totp-asked', 'email-code'] as const)('%s: no code that we could know is accepted', async (obstacle) => {
    await start({ obstacle });
    expect(running.login).not.toHaveProperty('totp_secret');
    const step = (await logIn()).headers.get('location') ?? '';
    expect(step).toMatch(/^\/login\/code\?flow=/);
    expect(await (await fetch(portal + step)).text()).toContain(
      obstacle === 'totp-asked' ? 'authenticator app' : 'to your email address',
    );
    expect((await post(step, { code: '123456' })).status).toBe(401);
    expect(running.provider.counters.secondFactor).toEqual({ attempts: 1, succeeded: 0 });
  });

  it('a login elsewhere is a redirect to a name that does not exist', async () => {
    await start({ obstacle: 'foreign-login-origin' });
    const answer = await fetch(running.loginUrl, { redirect: 'manual' });
    expect(answer.headers.get('location')).toBe(foreignLoginUrl);
  });

  it.each([
    ['maintenance', 503, 'down for maintenance'],
    ['http-500', 500, 'An error occurred on our side.'],
    ['no-permission', 403, 'You do not have permission'],
  ] as const)('%s: Developer Tools answers %i', async (obstacle, status, says) => {
    await start({ obstacle, session: 'already-signed-in' });
    const answer = await fetch(running.developerToolsUrl);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(says)]);
  });

  it('a one-time code is good in its own 30 s, and once', async () => {
    const clock = { nowMs: 1_700_000_010_000 };
    running = await startProvider({ traits: { secondFactor: 'totp' }, now: () => clock.nowMs });
    const totp = new TOTP({ secret: Secret.fromBase32(running.login.totp_secret ?? '') });
    const code = (sinceMs: number) => totp.generate({ timestamp: clock.nowMs + sinceMs });
    const { provider } = running;
    expect([-30_000, 30_000].map((sinceMs) => provider.enterCode(code(sinceMs)))).toEqual([false, false]);
    expect([provider.enterCode(code(0)), provider.enterCode(code(0))]).toEqual([true, false]);
    clock.nowMs += 30_000;
    expect(provider.enterCode(code(0))).toBe(true);
    expect(provider.counters.secondFactor).toEqual({ attempts: 5, succeeded: 2 });
  });

  it("the identity provider's code opens one session, and a made up one none", async () => {
    await start({ loginOrigin: 'other' });
    const answer = await fetch(`${running.loginOrigin}/login`, {
      method: 'POST',
      headers: { origin: running.loginOrigin },
      body: new URLSearchParams({ ...running.login, return_to: '/account' }),
      redirect: 'manual',
    });
    const callback = answer.headers.get('location') ?? '';
    const enter = async (url: string) => (await fetch(url, { redirect: 'manual' })).headers.get('location');
    expect(await enter(callback.replace(/code=[^&]*/, 'code=guess'))).toBe('/login');
    expect([await enter(callback), await enter(callback)]).toEqual(['/account', '/login']);
  });
});

describe('the lists', () => {
  it('the rows above have every choice of every rendering', () => {
    for (const [trait, choices] of Object.entries(renderings)) {
      const met = new Set<string>(rows.map((row) => row[trait as keyof PortalTraits]));
      expect([trait, ...choices.filter((choice) => !met.has(choice))]).toEqual([trait]);
    }
  });

  it('a combination is impossible where one choice hides the other, and no choice is impossible by itself', () => {
    expect(isPossible({ session: 'already-signed-in', login: 'identifier-first' })).toBe(false);
    expect(isPossible({ dialog: 'window-confirm', confirmation: 'tick' })).toBe(false);
    expect(isPossible({ dialog: 'window-confirm' })).toBe(true);
    for (const [trait, choices] of Object.entries({ ...renderings, ...troubles })) {
      for (const choice of choices) expect(isPossible({ ...defaultTraits, [trait]: choice })).toBe(true);
    }
  });
});
