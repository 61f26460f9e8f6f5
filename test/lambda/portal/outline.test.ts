import { expect, test } from 'vitest';
import { withoutValues } from '../../../lambda/portal/outline.ts';

test.each([
  ['- textbox "Client Secret": swift-otter', '- textbox "Client Secret": [value]'],
  ['- text: key aB3dE6gH9j. End', '- text: key [text] End'],
  ['- text: mail rotation@example.com now', '- text: mail [text] now'],
  ['- text: secret:correct-horse-battery', '- text: secret:[text]'],
  ['- /url: /dev?token=x', '- /url: /dev?[query]'],
  ['- button "Rotate" [ref=e1]: Rotate', '- button "Rotate" [ref=e1]: Rotate'],
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
