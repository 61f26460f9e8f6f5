import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { RotationError } from '../rotation/rotation-error.ts';
import { isTimeout, probablyClicked, refusal, trouble } from './failures.ts';
import { buttonsOn, visibleText } from './outline.ts';
import { searching } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';

/** How long a click waits before it is looked at what is in its way. */
export const firstTryMs = 1_000;

const guarded = new WeakSet<Page>();

/**
 * Whether the last click on this page was given up. Playwright keeps a click from anything but its target; of one that was given up
 * half-way that guard may stay behind until the next, and keeps a click of the bare mouse from everything.
 * @see microsoft/playwright#6352
 */
export const isGuarded = (page: Page): boolean => guarded.has(page);

/** One of Playwright's clicks, noted for `isGuarded`. */
export async function guardedClick<T>(page: Page, click: Promise<T>): Promise<T> {
  guarded.add(page);
  const result = await click;
  guarded.delete(page);
  return result;
}

/** The only visible match. @throws {RotationError} portal-changed, where there is none or more than one */
export async function only(locator: Locator, what: string, page: Page): Promise<Locator> {
  return (await onlyNow(locator, what, page)) ?? Promise.reject(await not(0, what, page));
}

/** The same, for what may have gone since it was seen: undefined where there is none. */
export async function onlyNow(locator: Locator, what: string, page: Page): Promise<Locator | undefined> {
  const visible = locator.filter({ visible: true });
  const count = await visible.count();
  if (count > 1) throw await not(count, what, page);
  return count === 1 ? visible : undefined;
}

async function not(count: number, what: string, page: Page): Promise<RotationError> {
  return refusal(
    'portal-changed',
    `${count === 0 ? 'no' : `${count} matches for the`} ${what}; what the page has to click: ${await buttonsOn(page)}`,
    'compare with the page, and name the one that is meant in labels or locators of the portal profile',
  );
}

/** What a look finds within the time, as soon as it finds anything, and at least once; looks more often than Playwright's own wait does. */
export async function lookFor<T>(
  timeoutMs: number,
  look: () => Promise<T | false | undefined>,
): Promise<T | undefined> {
  const beganMs = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= beganMs + timeoutMs) return undefined;
    await untilNextLook(beganMs);
  }
}

export const appears = async (locator: Locator, timeoutMs: number): Promise<boolean> =>
  (await lookFor(timeoutMs, async () => (await locator.count()) > 0)) === true;

/** A few ms at first, later a tenth of what has been waited: looks take the page's time. */
export const untilNextLook = (beganMs: number) => sleep(Math.min(50, 5 + (performance.now() - beganMs) / 10));

/**
 * Clicks what is no press, unless it has gone meanwhile; takes banners, chat windows and the like out of its way.
 *
 * @param noWaitAfter for what sends a form: where its answer never comes, Playwright would answer nothing any more
 */
export async function click(target: Locator, what: string, profile: PortalProfile, noWaitAfter = false): Promise<void> {
  for (const until = performance.now() + profile.times.clickMs; ; ) {
    try {
      return await guardedClick(target.page(), target.click({ timeout: firstTryMs, noWaitAfter }));
    } catch (error) {
      if (!isTimeout(error)) throw error;
      // What was clicked once, a second click would close again. Every caller looks at what the page has become.
      if (probablyClicked(error)) return;
    }
    if ((await target.count()) === 0) return;
    if (performance.now() > until) throw await unclickable(target, what, profile);
    await uncover(target, profile);
  }
}

export async function unclickable(target: Locator, what: string, { times }: PortalProfile) {
  const covers = await searching(target, { find: 'covering' })
    .count()
    .catch(() => 0);
  return trouble(
    'portal-changed',
    `${what} could not be clicked within ${times.clickMs} ms${covers > 0 ? ': something lies over it' : ''}; what the page has to click: ${await buttonsOn(target.page())}`,
    'open the page by hand; if a banner lies over it, add the name of the button that closes it to labels.dismiss, or labels.cancel where it speaks of rotating',
  );
}

/** Types into a field, and makes sure that it has arrived: a banner may keep the keyboard to itself. */
export async function fill(field: Locator, value: string, profile: PortalProfile): Promise<void> {
  for (const until = performance.now() + profile.times.clickMs; performance.now() < until; await sleep(50)) {
    await uncover(field, profile);
    await field.fill(value);
    // A form that sends itself at the last digit has gone with its field.
    const arrived = await field.inputValue({ timeout: firstTryMs }).catch((error) => {
      if (!isTimeout(error)) whileReplaced(error);
      return undefined;
    });
    if (arrived === undefined ? (await field.count().catch(() => 0)) === 0 : bare(arrived) === bare(value)) return;
  }
  throw trouble('portal-changed', 'a field of the portal did not take what was typed');
}

/** Fields may write a user name small, and a code in groups. */
const bare = (text: string) => text.replace(/[\s-]/g, '').toLowerCase();

/**
 * Closes what lies over the target: by a button in there, in the order of `labels.dismiss`; what speaks of rotating (a reminder, with
 * "OK") only by one of `labels.cancel` or `labels.decline`.
 */
export async function uncover(target: Locator, profile: PortalProfile): Promise<void> {
  const cover = searching(target, { find: 'covering' });
  if ((await cover.count()) !== 1) return;
  // Many go by themselves, at any moment.
  const says = await visibleText(cover).catch(() => undefined);
  if (says === undefined || anyOf(profile.messages.forbidden).test(says)) return;
  const { dismiss, cancel, decline } = profile.labels;
  for (const label of anyOf(profile.messages.rotating).test(says) ? [...cancel, ...decline] : dismiss) {
    const button = searching(cover, { find: 'clickable', name: [label] });
    if ((await button.count()) !== 1) continue;
    await guardedClick(target.page(), button.click({ timeout: firstTryMs })).catch(() => undefined);
    return;
  }
}

/** What a page says that is being replaced at that moment by another: it is to be looked at again. Throws every other error. */
export function whileReplaced(error: unknown): undefined {
  const isReplaced =
    error instanceof Error &&
    /context was destroyed|adopt element handle|detached|not attached|because of a navigation/i.test(error.message);
  if (!isReplaced || error instanceof RotationError) throw error;
}
