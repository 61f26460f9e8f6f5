import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { refusal } from './failures.ts';
import { click } from './page-actions.ts';
import { mask, maxValueLength, searching } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';
import { pageOf, type Way } from './way.ts';

/** Shorter texts beside "Client Secret" are hints and badges. */
const minSecretLength = 8;

/** What is no part of the value that stands in the same element. */
const asides = 'button,[role=button],[aria-hidden=true]';

/**
 * The part of the page that is our client's; none where the id is not shown.
 *
 * @param hiddenToo also where a tab has taken the place of the id
 */
export function clientPart(way: Way, hiddenToo = false): Locator {
  const { page } = way.browser;
  const { labels, locators } = way.profile;
  const id = way.account.clientId;
  if (way.copied?.on === pageOf(way)) return copyParts(way, hiddenToo).nth(way.copied.index);
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
    hiddenToo,
  });
}

/** The parts of the page that belong to a button each which copies a client id. */
function copyParts({ browser, profile: { labels } }: Way, hiddenToo = false): Locator {
  const { clientId: label, clientSecret: otherLabels, copy: name } = labels;
  return searching(browser.page, { find: 'part-of-button', label, otherLabels, name, hiddenToo });
}

/** Where the page has our client id behind a "Copy" button only. @returns whether there was anything to click */
export async function copyIds(way: Way): Promise<boolean> {
  const { browser, account, profile } = way;
  const buttons = await buttonsOf('clientId', browser.page, profile, 'copy').all();
  for (const [index, button] of buttons.entries()) {
    const copied = await browser.copied(() => click(button, 'the button that copies the client id', profile));
    if (copied.trim() === account.clientId) way.copied = { on: pageOf(way), index, of: buttons.length };
  }
  return buttons.length > 0;
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

/** Whether the page shows ids like ours, and ours is none of them. */
export async function showsAnotherClient({ browser, profile, account: { clientId } }: Way): Promise<boolean> {
  const holders = await clientIds(browser.page.locator('body'), profile).all();
  const values = await Promise.all(holders.map((holder) => valueIn(holder, profile)));
  const ids = values.filter((value) => value.length === clientId.length && !mask.test(value));
  return ids.length > 0 && !ids.includes(clientId);
}

/** The buttons beside a field, by what they are for. */
function buttonsOf(
  field: 'clientId' | 'clientSecret',
  from: Page | Locator,
  { labels }: PortalProfile,
  purpose: 'reveal' | 'copy',
): Locator {
  const otherLabels = labels[field === 'clientId' ? 'clientSecret' : 'clientId'];
  return searching(from, { find: 'field-button', label: labels[field], otherLabels, name: labels[purpose] });
}

/** A page may hide the client id like a secret. @returns whether there was anything to click */
export async function revealIds(page: Page, profile: PortalProfile): Promise<boolean> {
  const buttons = buttonsOf('clientId', page, profile, 'reveal');
  const before = await buttons.count();
  let index = 0;
  for (let clicks = 0; clicks < before; clicks++) {
    const left = await buttons.count();
    if (index >= left) break;
    await click(buttons.nth(index), 'the button that reveals the client id', profile);
    // One that was clicked may be called "Hide" then: the next has its place.
    if (!(await fewerThan(buttons, left, profile.times.settleMs / 5))) index += 1;
  }
  return before > 0;
}

async function fewerThan(locator: Locator, count: number, withinMs: number): Promise<boolean> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(20))
    if ((await locator.count()) < count) return true;
  return false;
}

/**
 * The client secret as the page shows it; undefined where it shows none (yet), not our client, a mask, or what is not of one line.
 *
 * @param mayClick whether "Reveal" and "Copy" may be used
 * @throws {RotationError} portal-changed: more than one, or too long
 */
export async function readSecret(way: Way, mayClick: boolean): Promise<string | undefined> {
  const { browser, profile } = way;
  const part = clientPart(way);
  if ((await part.count()) !== 1) {
    if (mayClick && !(await revealIds(browser.page, profile))) await copyIds(way);
    return undefined;
  }
  const shown = await shownIn(part, profile);
  if (shown !== undefined || !mayClick) return shown;
  for (const revealer of await buttonsOf('clientSecret', part, profile, 'reveal').all()) {
    await click(revealer, 'the button that reveals the client secret', profile);
    for (const until = performance.now() + profile.times.settleMs; performance.now() < until; ) {
      const revealed = await shownIn(part, profile);
      if (revealed !== undefined) return revealed;
    }
  }
  const copiers = buttonsOf('clientSecret', part, profile, 'copy');
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
  const text = (value ?? (await textBesideButtons(holder, timeout).catch(() => ''))).trim();
  const [, label, rest] = /^([^:：]{2,60})[:：]\s*(\S+)$/.exec(text) ?? [];
  return label !== undefined && rest !== undefined && anyOf(profile.labels.clientSecret).test(label) ? rest : text;
}

/** A button in there may say "Copy" now and "Copied!" then: what is read while it changes is no value. */
async function textBesideButtons(holder: Locator, timeout: number): Promise<string> {
  const aside = async () =>
    Promise.all((await holder.locator(asides).all()).map((inner) => inner.textContent({ timeout })));
  const before = await aside();
  const text = (await holder.textContent({ timeout })) ?? '';
  if (before.length === 0) return text;
  if (before.join('\n') !== (await aside()).join('\n')) return '';
  return before.reduce<string>((rest, inner) => rest.replace(inner ?? '', ''), text);
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
