import type { Locator, Page } from 'playwright-core';

/** What one reads there, line by line; no more of it than a message or a dialog has. */
export async function visibleText(locator: Locator, timeoutMs = 1_000): Promise<string> {
  // Not textContent: what is hidden must not be judged.
  return (await locator.innerText({ timeout: timeoutMs })).slice(0, 20_000);
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
