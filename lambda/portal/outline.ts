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
  return snapshot
    .split('\n')
    .map((line) =>
      line.replace(
        /^(\s*- (?:textbox|searchbox|combobox|spinbutton|code|option)\b(?:[^"\n:]|"(?:[^"\\]|\\.)*")*:).*$/,
        '$1 [value]',
      ),
    )
    .map((line) => line.replace(/[?#][^\s"]*=[^\s"]*/g, '?[query]'))
    .map((line) =>
      line.replace(
        /[^\s"'()<>,;:]*(?:[^\s"'()<>,;:]{16}|(?=[^\s"']*\d)(?=[^\s"']*[a-z])[^\s"'()<>,;:/]{10}|\S@\S)[^\s"'()<>,;]*/gi,
        '[text]',
      ),
    )
    .join('\n');
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
