import { expect, test } from 'vitest';
import { wordsToType } from '../../../lambda/portal/dialog-words.ts';
import { clickedBefore, fromBrowser, probablyClicked } from '../../../lambda/portal/failures.ts';
import { withoutValues } from '../../../lambda/portal/outline.ts';
import { mask } from '../../../lambda/portal/page-search.ts';
import { anyOf, defaultPortalProfile, parsePortalProfile } from '../../../lambda/portal/profile.ts';

test('a profile replaces what it names and nothing else', () => {
  const profile = parsePortalProfile('{"labels":{"rotate":["Erneuern"]},"times":{"propagationMs":5}}');
  expect(profile.labels.rotate).toEqual(['Erneuern']);
  expect(profile.labels.confirm).toEqual(defaultPortalProfile.labels.confirm);
  expect(profile.times).toEqual({ ...defaultPortalProfile.times, propagationMs: 5 });
});

test.each([
  ['{"labels":{"rotate":["/(/"]}}', 'labels.rotate.0: is not a valid pattern'],
  ['{"labels":{"rotatte":["x"]}}', 'labels: Unrecognized key: "rotatte"'],
  ['{"labels":{"rotate":[]}}', 'labels.rotate: '],
  ['{"times":{"clickMs":"1"}}', 'times.clickMs: '],
  ['{"trustedOrigins":["https://login.example.com/path"]}', 'trustedOrigins.0: must be an origin'],
  ['{"locators":{"rotate":""}}', 'locators.rotate: '],
  ['{"interstitials":[{"says":["x"]}]}', 'interstitials.0.answer: '],
  ['{"labels":', 'its value is not JSON'],
  ['[]', 'value: '],
])('a wrong profile is named by the path of its key: %s', (json, words) => {
  expect(() => parsePortalProfile(json)).toThrow(words);
  expect(() => parsePortalProfile(json)).toThrow(/^\[configuration\]/);
});

test('a label is a whole text, a pattern any part of one', () => {
  const pattern = anyOf(['Developer  Tools', 'C++ (beta)', '/^rotat/']);
  for (const text of ['developer tools', ' Developer Tools ', 'C++ (Beta)', 'Rotate it'])
    expect(pattern.test(text)).toBe(true);
  for (const text of ['My Developer Tools', 'C', 'to rotate']) expect(pattern.test(text)).toBe(false);
});

test.each([
  ['Type ROTATE to confirm.', [], ['ROTATE']],
  ['To confirm, type "rotate my secret" in the box below.', [], ['rotate my secret']],
  ['Please type rotate-secret to proceed', ['rotate-secret'], ['rotate-secret']],
  ['Enter the client ID (c0ffee) to continue', [], ['c0ffee']],
  ['Type your client id to confirm', [], ['c0ffee']],
  ['Type the client’s name, ERP integration, to confirm', [], ['ERP integration', 'Named elsewhere']],
  ['Type the name of the client to confirm', [], ['Named elsewhere']],
  ['This cannot be undone. Confirm by typing ROTATE.', ['cannot be undone'], ['ROTATE']],
  ['Type the following to confirm: ROTATE Cancel Rotate', ['ROTATE'], ['ROTATE']],
  ['Enter ERP integration to confirm', [], ['ERP integration']],
  ['Are you sure?', [], []],
])('what to type is read from the instruction: %s', (text, emphasised, words) => {
  expect(wordsToType(text, emphasised, { id: 'c0ffee', names: ['Named elsewhere'] }, defaultPortalProfile)).toEqual(
    words,
  );
});

test.each([
  ['••••••••', true],
  ['************', true],
  ['abcd••••••••', true],
  ['XXXXXXXXXXXX', true],
  ['abcd…wxyz', true],
  ['Loading...', true],
  ['xK9_a.b-c*d4Zq', false],
])('%s is a mask: %s', (text, masked) => {
  expect(mask.test(text)).toBe(masked);
});

test('an outline keeps names and loses values', () => {
  const outline = withoutValues(
    [
      '- heading "Developer Tools" [level=1]',
      '- textbox "Client Secret": hunter2',
      '- code: xK9abcdefghijklmnop',
      '- text: Signed in as rotation@example.com',
      '- button "Copy xK9abcdefghijklmnop"',
      '- link "Help":',
      '  - /url: /help?token=abc',
    ].join('\n'),
  );
  expect(outline).toContain('heading "Developer Tools" [level=1]');
  expect(outline).toContain('textbox "Client Secret"');
  expect(outline).toContain('link "Help"');
  expect(outline).not.toMatch(/hunter2|xK9|rotation@|abc/);
});

test.each([
  [
    'locator.click: Timeout 1000ms exceeded.\nCall log:\n  - waiting for getByRole("button")\n  - attempting click action\n  - element is not enabled',
    'no',
  ],
  [
    'locator.click: Timeout 1000ms exceeded.\nCall log:\n  - attempting click action\n  - performing click action',
    'unknown',
  ],
  [
    'locator.click: Timeout 1000ms exceeded.\nCall log:\n  - performing click action\n  - click action done\n  - waiting for scheduled navigations to finish',
    'yes',
  ],
  ['locator.click: Target page, context or browser has been closed\nCall log:\n  - waiting for x', 'unknown'],
  ['something that was never seen before', 'unknown'],
])('whether a click that was given up had been made is what the log says, and no guess (%#)', (message, clicked) => {
  expect(clickedBefore(new Error(message))).toBe(clicked);
});

test.each([
  ['attempting click action\n - performing click action', true],
  ['attempting click action\n - performing click action\n - click action done\n - waiting for navigations', true],
  ['attempting click action\n - element is not stable', false],
  ['performing click action\n - <p> intercepts pointer events\n - retrying click action\n - waiting 20ms', false],
])('a click on the way is not made again where it probably was (%#)', (log, clicked) => {
  expect(probablyClicked(new Error(`Timeout 1000ms exceeded.\nCall log:\n - ${log}`))).toBe(clicked);
});

test('nothing of Playwright’s own words gets into an error', () => {
  const raw = new Error(
    'page.goto: net::ERR_CERT_AUTHORITY_INVALID at https://x/?code=hunter2\nCall log:\n - fill("hunter2")',
  );
  const failure = fromBrowser(raw, 'opening the portal');
  expect(failure).toMatchObject({ category: 'portal-unavailable', retryable: false, pressed: 'no', cause: undefined });
  expect(failure.message).toMatch(/certificate was not accepted \(ERR_CERT_AUTHORITY_INVALID\); nothing was typed/);
  expect(`${failure.stack}`).not.toContain('hunter2');
});
