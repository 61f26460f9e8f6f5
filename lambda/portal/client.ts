import type { Locator, Page } from 'playwright-core';
import type { PortalBrowser } from './browser.ts';
import { refusal } from './failures.ts';
import { click } from './page-actions.ts';
import { mask, maxValueLength, searching } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';

/** Shorter texts beside "Client Secret" are hints and badges. */
const minSecretLength = 8;

/** The part of the page that is our client's; none where the id is not shown. */
export function clientPart(page: Page, { labels, locators }: PortalProfile, id: string): Locator {
  if (locators.clientId) {
    const shown = page.locator(locators.clientId);
    const ours = shown
      .filter({ hasText: new RegExp(`^\\s*${RegExp.escape(id)}\\s*$`) })
      .or(shown.and(page.locator(`[value=${JSON.stringify(id)}]`)));
    return page.locator('body').filter({ has: ours });
  }
  return searching(page, {
    find: 'client',
    label: labels.clientId,
    otherLabels: labels.clientSecret,
    id,
    minLength: Math.min(8, id.length),
  });
}

export function clientIds(from: Locator, { labels, locators }: PortalProfile): Locator {
  if (locators.clientId) return from.locator(locators.clientId);
  return searching(from, { find: 'value', label: labels.clientId, otherLabels: labels.clientSecret, minLength: 1 });
}

export function secretHolders(from: Locator, { labels, locators }: PortalProfile): Locator {
  if (locators.clientSecret) return from.locator(locators.clientSecret);
  return searching(from, {
    find: 'value',
    label: labels.clientSecret,
    otherLabels: labels.clientId,
    minLength: minSecretLength,
  });
}

/** A page may hide the client id like a secret. @returns whether there was anything to click */
export async function revealIds(page: Page, profile: PortalProfile): Promise<boolean> {
  const { clientId, clientSecret, reveal } = profile.labels;
  const search = { find: 'field-button', label: clientId, otherLabels: clientSecret, name: reveal } as const;
  const buttons = await searching(page, search).all();
  for (const button of buttons) await click(button, 'the button that reveals the client id', profile);
  return buttons.length > 0;
}

/**
 * The client secret as the page shows it; undefined where it shows none (yet), not our client, a mask, or what is not of one line.
 *
 * @param mayClick whether "Reveal" and "Copy" may be used
 * @throws {RotationError} portal-changed: more than one, or too long
 */
export async function readSecret(
  browser: PortalBrowser,
  profile: PortalProfile,
  id: string,
  mayClick: boolean,
): Promise<string | undefined> {
  const part = clientPart(browser.page, profile, id);
  if ((await part.count()) !== 1) {
    if (mayClick) await revealIds(browser.page, profile);
    return undefined;
  }
  const shown = await shownIn(part, profile);
  if (shown !== undefined || !mayClick) return shown;
  const { clientSecret, clientId, reveal, copy } = profile.labels;
  const button = (name: readonly string[]) =>
    searching(part, { find: 'field-button', label: clientSecret, otherLabels: clientId, name });
  for (const revealer of await button(reveal).all()) {
    await click(revealer, 'the button that reveals the client secret', profile);
    for (const until = performance.now() + profile.times.settleMs; performance.now() < until; ) {
      const revealed = await shownIn(part, profile);
      if (revealed !== undefined) return revealed;
    }
  }
  const copiers = button(copy);
  if ((await copiers.count()) !== 1) return undefined;
  const copied = await browser.copied(() => click(copiers, 'the button that copies the client secret', profile));
  return isSecret(copied) ? copied : undefined;
}

async function shownIn(part: Locator, profile: PortalProfile): Promise<string | undefined> {
  const holders = await secretHolders(part, profile).all();
  const values = await Promise.all(holders.map((holder) => valueIn(holder, profile)));
  const secrets = [...new Set(values.filter(isSecret))];
  if (secrets.length > 1) {
    throw refusal(
      'portal-changed',
      `${secrets.length} different values stand where the client secret is looked for`,
      'set locators.clientSecret in the portal profile',
    );
  }
  return secrets[0];
}

/** One line, and not what stands there while the page loads or hides it. */
function isSecret(value: string): boolean {
  return (
    value.length >= minSecretLength &&
    value.length <= maxValueLength &&
    /^[\x21-\x7e]+$/.test(value) &&
    !mask.test(value)
  );
}

async function valueIn(holder: Locator, profile: PortalProfile): Promise<string> {
  const timeout = 1_000;
  const value = await holder.inputValue({ timeout }).catch(() => undefined);
  // A page that renders itself anew may have taken it away.
  const text = (value ?? (await holder.textContent({ timeout }).catch(() => '')) ?? '').trim();
  const [, label, rest] = /^([^:：]{2,60})[:：]\s*(\S+)$/.exec(text) ?? [];
  return label !== undefined && rest !== undefined && anyOf(profile.labels.clientSecret).test(label) ? rest : text;
}

/** What the client may be called: beside "Name", or in a heading. */
export async function clientNames(part: Locator, { labels }: PortalProfile): Promise<string[]> {
  const named = await searching(part, {
    find: 'value',
    label: labels.clientName,
    otherLabels: labels.clientId,
    minLength: 0,
  }).all();
  const headings = await part.getByRole('heading').all();
  const texts = await Promise.all([
    ...named.map((holder) => holder.inputValue({ timeout: 500 }).catch(() => holder.textContent({ timeout: 500 }))),
    ...headings.slice(0, 3).map((heading) => heading.textContent({ timeout: 500 })),
  ]);
  return texts.map((text) => (text ?? '').trim()).filter((text) => text !== '' && text.length < 100);
}
