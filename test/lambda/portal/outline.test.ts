import { expect, test } from 'vitest';
import { anyWriting, placeOf, withoutValues } from '../../../lambda/portal/outline.ts';

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
  expect(outline.replace(anyWriting(['swift-otter', 'abc']) ?? /$/, '[text]')).not.toMatch(/swif|otter/i);
});

test('a page that nearly shows a secret over and over is searched at once', () => {
  const began = performance.now();
  `${'a - text: '.repeat(2_000)}${'a'.repeat(20_000)}${'a \n - text: '.repeat(2_000)}`.replace(
    anyWriting([`${'a'.repeat(60)}b`]) ?? /$/,
    '',
  );
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('a place is told without its query, and without a secret in its path', () => {
  expect(placeOf('https://a.example/settings/developer-tools/4f9a8b7c6d5e4f3a?x=1#y')).toBe(
    'https://a.example/settings/developer-tools/[text]',
  );
});
