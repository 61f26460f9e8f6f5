import type { Locator, Page } from 'playwright-core';

/** What one reads there, line by line; no more of it than a message or a dialog has. */
export async function visibleText(of: Locator): Promise<string> {
  // Not textContent: what is hidden must not be judged.
  return (await of.innerText({ timeout: 1_000 })).slice(0, 20_000);
}

/**
 * The page as assistive technology reads it, without what fields hold, without anything as long or as mixed as a secret, and
 * without the query of URLs. For evidence, preflight's report and error messages.
 */
export async function outlineOf(page: Page): Promise<string> {
  return withoutValues((await page.locator('body').ariaSnapshot({ timeout: 2_000 })).slice(0, 50_000));
}

export function withoutValues(snapshot: string): string {
  return (
    snapshot
      .replace(inGroups, (text) => (mixed.test(text) ? '[text]' : text))
      .split('\n')
      .map((line) =>
        line.replace(
          /^(\s*- (?:textbox|searchbox|combobox|spinbutton|code|option)\b(?:[^"\n:]|"(?:[^"\\]|\\.)*")*:).*$/,
          '$1 [value]',
        ),
      )
      // What follows is whole words at a time: a pattern that looks ahead from each character takes minutes over a page that wants that.
      .map((line) => line.replace(/[?#][^\s"]*/g, (rest) => (rest.includes('=') ? '?[query]' : rest)))
      .map((line) => line.replace(/[^\s"'()<>,;]+/g, withoutLong))
      .join('\n')
  );
}

/** Three groups of one length, and the rest of a fourth: as a secret is written to be read aloud. */
export const inGroups = new RegExp(
  `\\b(?:${[3, 4, 5, 6, 7, 8].map((length) => `(?:\\w{${length}}[^\\S\\n]){2,}\\w{2,${length}}`).join('|')})\\b`,
  'g',
);

/** What no words of a language have in common with a secret. */
export const mixed = /\d|[a-z][A-Z]|[A-Z]{2}\s[A-Z]{2}/;

/** Finds these values again wherever they stand, in groups and in pieces too; undefined where none is long enough to be one. */
export function anyWriting(values: Iterable<string>): RegExp | undefined {
  // In an outline a piece may have a line of its own. Each way to go on is the only one: a page cannot make this take long.
  const gap = '(?:[^a-z0-9]{0,8}|[^a-z0-9\\n]{0,4}\\n\\s{0,60}- [a-z]{1,14}(?::| ")[^a-z0-9\\n]{0,8})';
  const writings = [...values].flatMap((value) => {
    const letters = value.match(/[a-z0-9]/gi) ?? [];
    if (letters.length >= 4) return letters.join(gap);
    return value.length >= 4 ? RegExp.escape(value) : [];
  });
  return writings.length === 0 ? undefined : new RegExp(writings.join('|'), 'gi');
}

/** Where a page is, without its query and without what may be a secret in its path. */
export function placeOf(url: string): string | undefined {
  const place = URL.parse(url);
  return place ? `${place.protocol}//${place.host}${pathOf(place)}` : undefined;
}

export const pathOf = ({ pathname }: URL) => pathname.split('/').map(withoutValues).join('/');

/** A word without what is as long or as mixed as a secret, from there to its end. */
function withoutLong(word: string): string {
  const parts = word.split(':');
  const mixed = /\d/.test(word) && /[a-z]/i.test(word);
  const from = parts.findIndex(
    (part) =>
      part.length >= 16 || /.@|@./.test(part) || (mixed && part.split('/').some((segment) => segment.length >= 10)),
  );
  return from < 0 ? word : [...parts.slice(0, from), '[text]'].join(':');
}

/** The names of what can be clicked, for a message. */
export async function buttonsOn(page: Page): Promise<string> {
  const outline = await outlineOf(page).catch(() => '');
  const names = [...outline.matchAll(/- (button|link|tab|menuitem|checkbox) "((?:[^"\\]|\\.)*)"/g)].map(
    ([, role, name]) => `${role} "${name}"`,
  );
  // Assistive technology does not call them buttons.
  const summaries = await page
    .locator('summary')
    .filter({ visible: true })
    .all()
    .then((all) => Promise.all(all.slice(0, 5).map((summary) => visibleText(summary))))
    .catch(() => []);
  names.push(...summaries.map((name) => `summary "${withoutValues(name.trim()).slice(0, 60)}"`));
  return names.slice(0, 20).join(', ') || 'nothing';
}
