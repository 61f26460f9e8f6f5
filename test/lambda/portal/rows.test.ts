/** Rows of a Danger Zone in every order and wrapping: whatever ours lacks, another row's "Rotate" is never taken for it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PortalBrowser } from '../../../lambda/portal/browser.ts';
import { originsFor } from '../../../lambda/portal/origins.ts';
import { searching } from '../../../lambda/portal/page-search.ts';
import { defaultPortalProfile as profile } from '../../../lambda/portal/profile.ts';
import { chosen } from '../../choice.ts';

interface Row {
  isOurs: boolean;
  title: string;
  /** Undefined: who logs in may not press it. */
  button: string | undefined;
}
type Wrap = (parts: Record<'t' | 'd' | 'b', string>, inOrder: string, index: number) => string;

const ours = ['Rotate', undefined, 'Regenerate'].map(
  (button): Row => ({ isOurs: true, title: 'Rotate Secret', button }),
);
const others = ['Rotate webhook secret', 'Signing key'].map(
  (title): Row => ({ isOurs: false, title, button: 'Rotate' }),
);
const deletion: Row = { isOurs: false, title: 'Delete client', button: 'Delete' };
const tags = ['h3', 'p', 'strong', 'span', 'div', 'label'];
const descriptions = ['', '<p>Please be certain.</p>', '<small>Last in May</small>', 'Some words.'];
const flat: Wrap = (_parts, inOrder) => inOrder;
const wraps: Record<string, Wrap> = {
  flat,
  lines: (_parts, inOrder) => `${inOrder}<br>`,
  'rows of one class': (_parts, inOrder) => `<div class="row">${inOrder}</div>`,
  'rows of classes of their own': (_parts, inOrder, index) => `<div class="row r${index}">${inOrder}</div>`,
  sections: (_parts, inOrder) => `<section>${inOrder}</section>`,
  'list items': (_parts, inOrder) => `<li>${inOrder}</li>`,
  'text and actions': ({ t, d, b }) =>
    `<div class="row"><div class="text">${t}${d}</div><div class="actions">${b}</div></div>`,
  'actions and text': ({ t, d, b }) =>
    `<div class="row"><div class="actions">${b}</div><div class="text">${t}${d}</div></div>`,
};
const orders = ['tdb', 'tbd', 'btd', 'bdt'] as const;

const layouts = Object.entries(wraps).flatMap(([wrapName, wrap]) =>
  orders.flatMap((order) =>
    tags.flatMap((tag) =>
      descriptions.flatMap((description) =>
        ours.flatMap((our) =>
          others.flatMap((other) =>
            [
              [our, other],
              [other, our],
              [deletion, other, our],
              [our, deletion, other],
              [other, our, other],
            ].map((rows) => ({
              name: `${wrapName}, ${order}, ${tag}`,
              // Without anything around a row, one that begins with its button and has none looks like the next row's beginning.
              isTold: order.startsWith('t') || !/^(flat|lines)$/.test(wrapName),
              isOursThere: our.button === 'Rotate',
              html: rows
                .map(({ isOurs, title, button }, index) => {
                  const b = button ? `<button data-ours="${isOurs}">${button}</button>` : '<em>Ask an admin</em>';
                  const parts = { t: `<${tag}>${title}</${tag}>`, d: description, b };
                  return wrap(parts, [...order].map((part) => parts[part as 't']).join(' '), index);
                })
                .join('\n'),
            })),
          ),
        ),
      ),
    ),
  ),
);

let browser: PortalBrowser;
beforeAll(async () => {
  const origins = originsFor('https://app.example.com/', [], []);
  browser = await PortalBrowser.start({ profile, origins, chromiumPath: undefined, singleProcessFallback: false });
});
afterAll(() => browser.close());

test('the "Rotate" of "Rotate Secret" is the one in its row, or none', { timeout: 900_000 }, async () => {
  const { labels } = profile;
  const seen = { told: 0, found: 0 };
  for (const { name, html, isTold, isOursThere } of chosen(layouts, 300)) {
    await browser.page.evaluate((rows) => {
      document.body.innerHTML = `<section><h2>Danger Zone</h2><div>${rows}</div></section>`;
    }, html);
    const rotate = searching(browser.page, {
      find: 'rotate',
      zone: labels.dangerZone,
      section: labels.rotateSecret,
      name: labels.rotate,
      otherLabels: labels.otherSecrets,
      label: labels.clientId,
    });
    const found = await rotate.evaluateAll((buttons) => buttons.map((button) => (button as HTMLElement).dataset.ours));
    const isAnothers = found.length === 1 && found[0] !== 'true';
    if (isTold) expect(isAnothers, `${name}: ${html}`).toBe(false);
    if (isTold && isOursThere) {
      seen.told += 1;
      seen.found += Number(found.length === 1);
    }
  }
  // What is not found is refused: rows that begin with their button and a description, above all.
  expect(seen.found / seen.told).toBeGreaterThan(0.85);
});
