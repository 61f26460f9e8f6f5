import { expect, test } from 'vitest';
import { placeOf, withoutValues, withoutWritings } from '../../../lambda/portal/outline.ts';

test.each([
  ['- textbox "Client Secret": swift-otter', '- textbox "Client Secret": [value]'],
  ['- text: key aB3dE6gH9j. End', '- text: key [text] End'],
  ['- text: mail rotation@example.com now', '- text: mail [text] now'],
  ['- text: secret:correct-horse-battery', '- text: secret:[text]'],
  ['- /url: /dev?token=x', '- /url: /dev?[query]'],
  ['- button "Rotate" [ref=e1]: Rotate', '- button "Rotate" [ref=e1]: Rotate'],
  ['- text: key kR7x qP2v Wn8s Ld4t here', '- text: key [text]'],
  ['- text: seed ABCD EFGH IJKL MN', '- text: [text]'],
  ['- text: this page will show them', '- text: this page will show them'],
  ['- link "2 of 10 clients (all)"', '- link "2 of 10 clients (all)"'],
])('of %s the outline says %s', (line, outline) => {
  expect(withoutValues(line)).toBe(outline);
});

test.each(['aaaaaaaaa:', '?', '?#', '1:', 'https://', 'https://a/', '(', 'a,', '\\"', '- code "'])(
  'a page full of %s is outlined at once: nothing else happens meanwhile, no deadline either',
  (unit) => {
    const began = performance.now();
    withoutValues(`- text: ${unit.repeat(50_000 / unit.length)}`);
    expect(performance.now() - began).toBeLessThan(500);
  },
);

test.each([
  '- text: swift-otter.',
  '- text: swif t-ot ter',
  '- cell "swift"\n  - cell "otter"',
  '- strong: SWIFT\n- text: "-otter"',
  '- /url: /x/swiftotter',
])('a secret of plain words is found again in %s', (outline) => {
  expect(withoutWritings(outline, ['swift-otter', 'abc'])).not.toMatch(/swif|otter/i);
});

test('secrets of thousands of letters, many of them, are found again', () => {
  const secrets = Array.from({ length: 12 }, (_, at) => `${at}-secret-`.repeat(400));
  const outline = secrets.map((secret) => `- text: ${secret.replaceAll('-', ' ')}`).join('\n');
  expect(withoutWritings(outline, secrets)).not.toMatch(/secret/);
  expect(withoutWritings(outline, [`${secrets[0]}z`])).toBe(outline);
});

test('two secrets that overlap are both taken out, and nothing else', () => {
  expect(withoutWritings('one two abcdef three', ['abcd', 'cdef'])).toBe('one two [text][text] three');
});

test.each([
  ['a field with a placeholder', '- textbox "Token":\n  - /placeholder: Your token\n  - text: swift-otter'],
  ['what is chosen', '- combobox "Token":\n  - option "swift-otter" [selected]'],
  ['the query of an address, whatever it is', '- link "x":\n  - /url: /a?swift-otter'],
  ['the hash of an address', '- link "x":\n  - /url: /a#swift-otter'],
  ['a script in an address', `- link "x":\n  - /url: javascript:x('swift-otter')`],
  ['a short mixed part of an address', '- link "x":\n  - /url: /magic/swift-otter7/x'],
])('%s is left out of an outline', (_what, outline) => {
  expect(withoutValues(outline)).not.toMatch(/otter/);
  expect(withoutValues(`${outline}\n- text: after`)).toMatch(/- text: after/);
});

test('a place is told without its query, and without a secret in its path', () => {
  expect(placeOf('https://a.example/settings/developer-tools/4f9a8b7c6d5e4f3a?x=1#y')).toBe(
    'https://a.example/settings/developer-tools/[text]',
  );
});
