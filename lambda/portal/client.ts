import type { Locator, Page } from 'playwright-core';
import { refusal } from './failures.ts';
import { click, lookFor } from './page-actions.ts';
import { mask, maxValueLength, type Search, searching, shownValues } from './page-search.ts';
import type { PortalProfile } from './profile.ts';
import { pageOf, type Way } from './way.ts';

/** Shorter texts beside "Client Secret" are hints and badges. */
const minSecretLength = 8;

/** @see clientSearch */
export const clientPart = (way: Way): Locator => searching(way.browser.page, clientSearch(way));

/**
 * The part of the page that is our client's; none where the id is not shown.
 *
 * @param hiddenToo also where a tab has taken the place of the id
 */
export function clientSearch(way: Way, hiddenToo = false): Search {
  const { labels, locators } = way.profile;
  const { clientId: label, clientSecret: otherLabels } = labels;
  if (way.copied?.on === pageOf(way))
    return { find: 'part-of-button', label, otherLabels, name: labels.copy, index: way.copied.index, hiddenToo };
  const id = way.account.clientId;
  const minLength = Math.min(8, id.length);
  return { find: 'client', label, otherLabels, css: locators.clientId, id, minLength, hiddenToo };
}

/** Where the page has our client id behind a "Copy" button only. @returns whether there was anything to click */
export async function copyIds(way: Way): Promise<boolean> {
  const { browser, account, profile } = way;
  const buttons = await searching(browser.page, buttonSearch('clientId', 'copy', profile)).all();
  for (const [index, button] of buttons.entries()) {
    const copied = await browser.copied(() => click(button, 'the button that copies the client id', profile));
    if (copied.trim() === account.clientId) way.copied = { on: pageOf(way), index, of: buttons.length };
  }
  return buttons.length > 0;
}

export const idSearch = ({ labels, locators }: PortalProfile) =>
  ({
    find: 'value',
    label: labels.clientId,
    otherLabels: labels.clientSecret,
    css: locators.clientId,
    minLength: 1,
  }) as const;

export const secretSearch = ({ labels, locators }: PortalProfile) =>
  ({
    find: 'value',
    label: labels.clientSecret,
    otherLabels: labels.clientId,
    css: locators.clientSecret,
    minLength: minSecretLength,
  }) as const;

export const clientIds = (from: Locator, profile: PortalProfile): Locator => searching(from, idSearch(profile));

export const secretHolders = (from: Locator, profile: PortalProfile): Locator => searching(from, secretSearch(profile));

/** Whether the page shows ids like ours, and ours is none of them. */
export async function showsAnotherClient(way: Way): Promise<boolean> {
  const { clientId } = way.account;
  const ids = await clientIdsOn(way);
  return ids.length > 0 && !ids.includes(clientId);
}

/** What the page shows as client ids: none that is masked, or no id of this provider. */
export async function clientIdsOn({ browser, profile, account }: Way): Promise<string[]> {
  const { values } = await shownValues(browser.page, undefined, idSearch(profile));
  return values.filter((value) => value.length === account.clientId.length && !mask.test(value));
}

/** The buttons beside a field, by what they are for. */
export function buttonSearch(
  field: 'clientId' | 'clientSecret',
  purpose: 'reveal' | 'copy',
  { labels }: PortalProfile,
): Search {
  const otherLabels = labels[field === 'clientId' ? 'clientSecret' : 'clientId'];
  return { find: 'field-button', label: labels[field], otherLabels, name: labels[purpose] };
}

/** A page may hide the client id like a secret. @returns whether there was anything to click */
export async function revealIds(page: Page, profile: PortalProfile): Promise<boolean> {
  const buttons = searching(page, buttonSearch('clientId', 'reveal', profile));
  const before = await buttons.count();
  let index = 0;
  for (let clicks = 0; clicks < before; clicks++) {
    const left = await buttons.count();
    if (index >= left) break;
    await click(buttons.nth(index), 'the button that reveals the client id', profile);
    // One that was clicked may be called "Hide" then: the next has its place.
    if (!(await lookFor(profile.times.settleMs / 5, async () => (await buttons.count()) < left))) index += 1;
  }
  return before > 0;
}

/**
 * The client secret as the page shows it; undefined where it shows none (yet), not our client, a mask, or what is not of one line.
 *
 * @param mayClick whether "Reveal" and "Copy" may be used
 * @throws {RotationError} portal-changed: more than one, or too long
 */
export async function readSecret(way: Way, mayClick: boolean): Promise<string | undefined> {
  const { browser, profile } = way;
  const { isHere, secret } = await shownIn(way);
  if (!isHere) {
    if (mayClick && !(await revealIds(browser.page, profile))) await copyIds(way);
    return undefined;
  }
  if (secret !== undefined || !mayClick) return secret;
  const part = clientPart(way);
  for (const revealer of await searching(part, buttonSearch('clientSecret', 'reveal', profile)).all()) {
    await click(revealer, 'the button that reveals the client secret', profile);
    const revealed = await lookFor(profile.times.settleMs, async () => (await shownIn(way)).secret);
    if (revealed !== undefined) return revealed;
  }
  const copiers = searching(part, buttonSearch('clientSecret', 'copy', profile));
  if ((await copiers.count()) !== 1) return undefined;
  const copied = await browser.copied(() => click(copiers, 'the button that copies the client secret', profile));
  return isSecret(copied) ? copied : undefined;
}

/** Whether our client is on the page, and its secret where that can be read. */
async function shownIn(way: Way): Promise<{ isHere: boolean; secret: string | undefined }> {
  const { parts, values } = await shownValues(way.browser.page, clientSearch(way), secretSearch(way.profile));
  const secrets = [...new Set(values.filter(isSecret))];
  if (secrets.length > 1) {
    throw refusal(
      'portal-changed',
      `${secrets.length} different values stand where the client secret is looked for`,
      'set locators.clientSecret in the portal profile',
    );
  }
  return { isHere: parts === 1, secret: secrets[0] };
}

/** One line, and not what stands there while the page loads or hides it. */
function isSecret(value: string): boolean {
  return (
    value.length >= minSecretLength &&
    value.length <= maxValueLength &&
    /^[\x21-\x7e]+$/.test(value) &&
    !mask.test(value) &&
    // What scripts write where they have nothing.
    !/^(undefined|\[object)/.test(value)
  );
}

/** What the client may be called: beside "Name", or in a heading. */
export async function clientNames(part: Locator, { labels }: PortalProfile): Promise<string[]> {
  const named = await searching(part, {
    find: 'value',
    label: labels.clientName,
    otherLabels: labels.clientId,
    minLength: 0,
  }).all();
  // Not by role: an open dialog hides the page from assistive technology.
  const headings = await part.locator('h1,h2,h3,h4,h5,h6,[role=heading]').all();
  const texts = await Promise.all([
    ...named.map((holder) => holder.inputValue({ timeout: 500 }).catch(() => holder.textContent({ timeout: 500 }))),
    ...headings.slice(0, 3).map((heading) => heading.textContent({ timeout: 500 })),
  ]);
  return texts.map((text) => (text ?? '').trim()).filter((text) => text !== '' && text.length < 100);
}
