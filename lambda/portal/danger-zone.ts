import type { Locator } from 'playwright-core';
import { clientIdsOn, clientNames, clientSearch } from './client.ts';
import type { Names } from './dialog-words.ts';
import { isTimeout, refusal } from './failures.ts';
import { buttonsOn } from './outline.ts';
import type { DangerZone } from './page/query.ts';
import { click, only, untilNextLook } from './page-actions.ts';
import { dangerZone, type Search, searching } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';
import { pathnameOf, type Way } from './way.ts';

/**
 * Opens the Danger Zone, as often as it closes by itself.
 *
 * @returns the one button "Rotate" that belongs to "Rotate Secret" in there, whether the client's id and secret are seen beside it,
 * and how many dialogs that speak of rotating there are
 * @throws {RotationError} portal-changed
 */
export async function findRotate(way: Way): Promise<{ rotate: Locator; hidesClient: boolean; dialogs: number }> {
  const { page } = way.browser;
  const { labels, locators, times } = way.profile;
  const beganMs = performance.now();
  let clickedAtMs = Number.NEGATIVE_INFINITY;
  for (let clicks = 0; ; await untilNextLook(Math.max(beganMs, clickedAtMs))) {
    const [seen, dialogs] = await Promise.all([lookAtZone(way), rotateDialogs(way).count()]);
    const { part, hidesClient, buttons, toggles } = seen;
    const zone = locators.dangerZone
      ? searching(part, { find: 'matching', css: locators.dangerZone })
      : searching(part, { find: 'zone', zone: labels.dangerZone });
    const rotate = locators.rotate
      ? searching(part, { find: 'matching', css: locators.rotate }).filter({ visible: true })
      : searching(part, { find: 'rotate', ...rotateSearch(labels) });
    if (buttons === 1) return { rotate, hidesClient, dialogs };
    if (buttons > 1) await only(rotate, 'buttons "Rotate" under "Rotate Secret"', page);
    // Counted from the last click: what lay over the heading may have taken the time until then.
    if (performance.now() > Math.max(beganMs, clickedAtMs) + times.clickMs + times.settleMs) {
      throw refusal(
        'portal-changed',
        `no button "Rotate" that belongs to "Rotate Secret" in the Danger Zone was found; what the page has to click: ${await buttonsOn(page)}`,
        'compare with the page: set labels.dangerZone, labels.rotateSecret, labels.rotate or, where no label helps, locators.dangerZone and locators.rotate in the portal profile',
      );
    }
    // A heading may not say that it is open, and a second click would close it.
    if (clicks === 3 || performance.now() - clickedAtMs < times.clickMs / 3) continue;
    if (toggles > 1) await only(zone, 'headings of a Danger Zone', page);
    if (toggles === 0) continue;
    await click(zone, 'the heading "Danger Zone"', way.profile);
    clicks += 1;
    clickedAtMs = performance.now();
  }
}

const rotateSearch = ({ dangerZone, rotateSecret, rotate, otherSecrets, clientId }: PortalProfile['labels']) => ({
  zone: dangerZone,
  section: rotateSecret,
  name: rotate,
  otherLabels: otherSecrets,
  label: clientId,
});

/** A Danger Zone that is a tab may take the place of the credentials. */
async function lookAtZone(way: Way): Promise<DangerZone & { part: Locator; hidesClient: boolean }> {
  const { page } = way.browser;
  const { labels, locators } = way.profile;
  const lookIn = async (hidesClient: boolean, search: Search | undefined) => {
    const seen = await dangerZone(page, search, {
      ...rotateSearch(labels),
      zoneCss: locators.dangerZone,
      buttonCss: locators.rotate,
    });
    return { ...seen, hidesClient, part: search ? searching(page, search) : page.locator('body') };
  };
  const shown = await lookIn(false, clientSearch(way));
  if (shown.parts > 0) return shown;
  const hidden = await lookIn(true, clientSearch(way, true));
  if (hidden.parts === 1) return hidden;
  // A tab may add to the address.
  const isAlone = way.aloneOn !== undefined && `${pathnameOf(way)}/`.startsWith(`${way.aloneOn}/`);
  return isAlone ? lookIn(true, undefined) : { ...shown, hidesClient: true };
}

/** What our client is called. */
export const ourNames = async (way: Way): Promise<string[]> => clientNames((await lookAtZone(way)).part, way.profile);

/** How many other clients a dialog is compared with. */
const mostOthers = 10;

/** @returns nothing where the page has no other client, or they cannot be read in time: what a dialog says of ids is judged all the same */
export async function namesOn(way: Way): Promise<Names> {
  const { browser, profile, account } = way;
  const ids = way.aloneOn === undefined ? await clientIdsOn(way) : [];
  const others = [...new Set(ids)].filter((id) => id !== account.clientId).slice(0, mostOthers);
  if (others.length === 0) return { ours: [], others: [] };
  const named = async (clientId: string) =>
    clientNames(searching(browser.page, clientSearch({ ...way, account: { ...account, clientId } })), profile);
  try {
    const [ours = [], ...theirs] = await Promise.all([account.clientId, ...others].map(named));
    // A heading may be what a section is called, and no name.
    const { dangerZone, rotateSecret, otherSecrets, rotate, clientId, clientSecret } = profile.labels;
    const isLabel = anyOf([dangerZone, rotateSecret, otherSecrets, rotate, clientId, clientSecret].flat());
    const isName = (name: string) => name.length >= 2 && !isLabel.test(name);
    return { ours: ours.filter(isName), others: theirs.flat().filter((name) => isName(name) && !ours.includes(name)) };
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return { ours: [], others: [] };
  }
}

/** Dialogs that speak of rotating, that of a reminder too. */
export function rotateDialogs({ browser: { page }, profile: { labels, locators, messages } }: Way): Locator {
  if (locators.dialog) return page.locator(locators.dialog).filter({ visible: true });
  return searching(page, { find: 'dialog', name: labels.confirm, says: messages.rotating, zone: labels.dangerZone });
}
