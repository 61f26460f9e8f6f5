import { afterEach, expect, test } from 'vitest';
import { playwrightPortal } from '../../../lambda/portal/portal.ts';
import type { DeveloperTools } from '../../../lambda/rotation/ports.ts';
import { type Category, LoginRefused, RotationError } from '../../../lambda/rotation/rotation-error.ts';
import { type PortalTraits, troubles } from '../../../local/portal/traits.ts';
import { hasSqlite } from '../../system-libraries.ts';
import { simulated } from './simulated.ts';

const signal = AbortSignal.timeout(600_000);
const times = { settleMs: 500, clickMs: 2_000, dialogMs: 2_000, answerMs: 1_500, pageMs: 4_000, openMs: 12_000 };
let portal: Awaited<ReturnType<typeof simulated>>;
let tools: DeveloperTools | undefined;
afterEach(async () => {
  await tools?.close();
  tools = undefined;
  await portal?.close();
});

async function open(traits: Partial<PortalTraits>, { openMs = times.openMs } = {}): Promise<DeveloperTools> {
  portal = await simulated(traits, { ...times, openMs });
  tools = await playwrightPortal({ profile: portal.profile }).open(portal.account, signal);
  return tools;
}

async function failure(of: Promise<unknown>): Promise<RotationError> {
  const error = await of.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RotationError);
  const failed = error as RotationError;
  expect(failed.action).not.toBe('');
  for (const secret of [portal.account.password, portal.provider.issuedSecret()])
    expect(`${failed.stack}${JSON.stringify(failed)}`).not.toContain(secret);
  return failed;
}

type Expected = [Category, RegExp, attempts: number, succeeded: number, session?: PortalTraits['session']];
/** Without a login where it is of no account how one got there. */
const refused = (words: RegExp): Expected => ['portal-changed', words, 0, 0, 'already-signed-in'];
const obstacles: Record<Exclude<PortalTraits['obstacle'], 'none'>, Expected> = {
  'account-locked': ['login', /account is locked/, 1, 0],
  captcha: ['login', /captcha/, 0, 0],
  'totp-asked': ['login', /no totp_secret/, 1, 1],
  'passkey-only': ['login', /passkey/, 0, 0],
  'sso-only': ['login', /passkey, another provider/, 0, 0],
  'email-code': ['login', /by e-mail/, 1, 1],
  'foreign-login-origin': ['portal-changed', /led to https:\/\/login\.example\.invalid/, 0, 0],
  'self-signed-certificate': ['portal-unavailable', /certificate.*ERR_CERT/, 0, 0],
  maintenance: ['portal-unavailable', /503/, 0, 0],
  'http-500': ['portal-unavailable', /answered 500/, 1, 1],
  'no-permission': ['permission', /no permission/, 1, 1],
  'no-client': ['configuration', /no client/, 1, 1],
  'other-client-id': ['configuration', /another client id/, 1, 1],
  'two-danger-zones': refused(/2 matches.*Danger Zone/),
  'two-rotate-candidates': refused(/2 matches.*Rotate/),
  'no-rotate-button': refused(/no button "Rotate"/),
  'renamed-button': refused(/no button "Rotate".*button "Regenerate"/),
  'rotates-without-dialog': refused(/POST \/account\/developer-tools\/rotate-secret before any dialog/),
  'dialog-speaks-of-deleting': refused(/"Delete/),
  'dialog-speaks-of-revoking-all': refused(/"revokes all/),
  'dialog-speaks-of-billing': refused(/"invoice/),
  'renamed-confirm-button': refused(/no button that confirms.*"Replace"|no dialog/),
  'two-confirm-buttons': refused(/2 matches.*confirm/),
};

// Chromium without SQLite dies at any https page, and would be told as that.
const here = Object.entries(obstacles).filter(([obstacle]) => hasSqlite || obstacle !== 'self-signed-certificate');

test.each(here)('%s is refused before the press', async (obstacle, expected) => {
  const [category, words, attempts, succeeded, session = 'none'] = expected;
  const way = async () => {
    const opened = await open({ obstacle: obstacle as PortalTraits['obstacle'], session });
    await opened.look(signal);
    await opened.openRotateDialog(signal);
  };
  const error = await failure(way());
  expect(error).toMatchObject({ category, pressed: 'no' });
  expect(error.message).toMatch(words);
  expect(error instanceof LoginRefused).toBe(obstacle === 'account-locked');
  expect(portal.provider.counters).toMatchObject({
    presses: 0,
    rotateRequests: 0,
    otherClicks: {},
    logins: { attempts, succeeded },
  });
});

const wentWrong = {
  500: /answered 500 to POST/,
  'no-answer': /stayed open for 1500 ms/,
  reset: /the connection broke off at POST/,
  'dialog-error': /answered 409 to POST/,
};

test.each(troubles.outcome.flatMap((outcome) => [[outcome, 'server'] as const, [outcome, 'form-posts'] as const]))(
  'after %s (%s) the press is told as it was, and a look shows what came of it',
  async (outcome, rendering) => {
    // A page that waits for ever for the answer to its form is given up, its session with it.
    const anew = outcome === 'session-expired' || (rendering === 'form-posts' && outcome.startsWith('no-answer'));
    const opened = await open({ outcome, rendering, session: anew ? 'none' : 'already-signed-in' });
    const before = await opened.look(signal);
    const dialog = await opened.openRotateDialog(signal);
    const error = await dialog.press(signal).catch((thrown: unknown) => thrown);
    if (error !== undefined) expect(error).toMatchObject({ pressed: 'unknown' });
    // A page that has gone elsewhere has closed its dialog; the others say what went wrong.
    const [, words] = Object.entries(wentWrong).find(([kind]) => outcome.startsWith(kind)) ?? [];
    if (rendering === 'server' && words) expect((error as RotationError).message).toMatch(words);
    const seen = await opened.look(signal);
    const effect = /^ok|with-effect|sent-again/.test(outcome);
    expect(seen).toBe(portal.provider.issuedSecret());
    expect(seen !== before).toBe(effect);
    expect(portal.provider.counters).toMatchObject({ presses: effect ? 1 : 0, rotateRequests: 1, otherClicks: {} });
    expect(portal.provider.counters.logins.attempts).toBe(anew ? 2 : 0);
  },
);

test.each(troubles.hostility)('%s ends in time, and learns nothing', async (hostility) => {
  const way = async () => {
    const opened = await open({ hostility }, { openMs: 5_000 });
    expect(await opened.look(signal)).toBe(portal.provider.issuedSecret());
  };
  const error = await way().catch((thrown: unknown) => thrown);
  if (error !== undefined) expect(error).toBeInstanceOf(RotationError);
  expect(portal.provider.counters).toMatchObject({ presses: 0, otherClicks: {} });
  expect(portal.provider.counters.logins.attempts).toBeLessThanOrEqual(1);
});
