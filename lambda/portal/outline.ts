import type { Locator, Page } from 'playwright-core';
import { noUrl } from './origins.ts';
import { writingsIn } from './page/writings.ts';

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
      .map(withoutFieldValues())
      .map((line) => line.replace(/^(\s*- \/url:) (.*)$/, (_line, key, url) => `${key} ${addressOf(url)}`))
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

/** The text without these values, wherever and however they stand in it. */
export function withoutWritings(text: string, values: Iterable<string>): string {
  let rest = text;
  let end = text.length;
  for (const { from, to } of writingsIn(text, values).sort((a, b) => b.from - a.from)) {
    rest = `${rest.slice(0, from)}[text]${rest.slice(Math.min(to, end))}`;
    end = from;
  }
  return rest;
}

/** Where a page is, without its query and without what may be a secret in its path. */
export function placeOf(url: string): string | undefined {
  const place = URL.parse(url);
  return place ? `${place.protocol}//${place.host}${pathOf(place)}` : undefined;
}

/** A field in a snapshot, up to what it holds. */
const heldBy = /^(\s*- (?:textbox|searchbox|combobox|spinbutton|code|option)\b(?:[^"\n:]|"(?:[^"\\]|\\.)*")*:).*$/;

/** What a field holds follows its name, in a line of its own where it has a placeholder too. */
function withoutFieldValues(): (line: string) => string {
  let depth = Number.POSITIVE_INFINITY;
  return (line) => {
    const indent = line.search(/\S/);
    if (indent <= depth) depth = heldBy.test(line) ? indent : Number.POSITIVE_INFINITY;
    return line
      .replace(heldBy, line.trimEnd().endsWith(':') ? '$1' : '$1 [value]')
      .replace(/^(\s*- option) "(?:[^"\\]|\\.)*"(?=.*\[selected\])/, '$1 [value]')
      .replace(/^(\s*- text:).*$/, (text, key) => (indent > depth ? `${key} [value]` : text));
  };
}

/** Where a link leads, as far as that is no secret. */
function addressOf(url: string): string {
  const [path = '', ...rest] = url.split(/(?=[?#])/);
  if (/^"?\w+:(?!\/\/)/.test(path)) return '[script]';
  const isCode = (part: string) => part.length >= 6 && /\d/.test(part) && /[a-z]/i.test(part);
  const place = path.split('/').map((part) => (isCode(part) && !/[.:]/.test(part) ? '[text]' : part));
  return `${place.join('/')}${rest.length > 0 ? '?[query]' : ''}`;
}

const pathOf = ({ pathname }: URL) => pathname.split('/').map(withoutValues).join('/');

/** The path of an address, which need not be one that Node takes. */
export function pathIn(url: string): string {
  const place = URL.parse(url);
  return place ? pathOf(place) : noUrl;
}

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
