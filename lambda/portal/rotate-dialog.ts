import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialog, Locator } from 'playwright-core';
import { RotationError } from '../rotation/rotation-error.ts';
import { clientIds, clientNames, clientSearch } from './client.ts';
import { clickedBefore, isTimeout, probablyClicked, refusal, trouble } from './failures.ts';
import { buttonsOn, placeOf, withoutValues } from './outline.ts';
import type { DangerZone, DialogState } from './page/query.ts';
import {
  appears,
  click,
  firstTryMs,
  guardedClick,
  isGuarded,
  lookFor,
  only,
  onlyNow,
  unclickable,
  uncover,
  untilNextLook,
  whileReplaced,
} from './page-actions.ts';
import { dangerZone, dialogState, type Search, searching, toldDialog } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';
import { pathnameOf, type Way } from './way.ts';

/** Fields that people type into. */
const typeable =
  'input:not([type=hidden],[type=checkbox],[type=radio],[type=button],[type=submit],[readonly]),textarea:not([readonly])';

/** The dialog in front of the press, understood and filled in. */
export interface OpenDialog {
  /** True while a `window.confirm` blocks the page: nothing can be read from it. */
  readonly blocksPage: boolean;
  /** The page has to be loaded anew to show what came of the press. */
  readonly hidesClient: boolean;
  /**
   * The press, not begun after this moment of `performance.now()`. Rejects with `CertainlyNotPressed` where the click was not made;
   * otherwise it may have been.
   */
  press(untilMs: number): Promise<void>;
  isOpen(): Promise<boolean>;
  /** What it says went wrong. */
  complaint(): Promise<string | undefined>;
  cancel(): Promise<void>;
  /** Which locators matched what. */
  readonly findings: Record<string, Locator | string>;
}

export class CertainlyNotPressed extends Error {}

/** A page that is slow to answer must not have a click wait until nobody reckons with it any more. */
function requireBefore(untilMs: number): void {
  if (performance.now() > untilMs)
    throw new CertainlyNotPressed('the page was too slow to answer just before the press');
}

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
      : searching(part, { find: 'rotate', zone: labels.dangerZone, section: labels.rotateSecret, name: labels.rotate });
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

/** A Danger Zone that is a tab may take the place of the credentials. */
async function lookAtZone(way: Way): Promise<DangerZone & { part: Locator; hidesClient: boolean }> {
  const { page } = way.browser;
  const { labels, locators } = way.profile;
  const lookIn = async (hidesClient: boolean, search: Search | undefined) => {
    const seen = await dangerZone(page, search, {
      zone: labels.dangerZone,
      section: labels.rotateSecret,
      name: labels.rotate,
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

/**
 * Everything up to the press: Danger Zone, "Rotate" under "Rotate Secret", the dialog, its word and its box. Until the dialog is
 * there, requests that may change something are held back.
 *
 * @throws {RotationError} portal-changed
 */
export async function openDialog(way: Way): Promise<OpenDialog> {
  const { browser, log } = way;
  const { documents } = browser;
  const held = browser.holdRequests();
  const script = browser.nextScriptDialog();
  const opened = Promise.race([script.opened, held.navigates]);
  opened.catch(() => undefined);
  let scriptDialog: Dialog | undefined;
  let before = Number.POSITIVE_INFINITY;
  try {
    for (let tries = 1; ; tries++) {
      const clicked = await clickRotate(way, opened, before);
      const { rotate, hidesClient } = clicked;
      before = clicked.before;
      scriptDialog = clicked.scriptDialog ?? (await dialogOpens(way, rotate, opened, before));
      const understood = scriptDialog
        ? scriptDialogToPress(way, scriptDialog)
        : await pageDialogToPress(way, held.release, before);
      if (!understood) {
        if (tries < 3) continue;
        throw trouble('portal-changed', 'the rotate dialog closed by itself');
      }
      held.release();
      log('dialog');
      return { ...understood, hidesClient };
    }
  } catch (error) {
    await scriptDialog?.dismiss();
    const dropped = held.drop();
    if (dropped.length === 0 && browser.documents > documents && error instanceof RotationError)
      throw error.with({
        what: `on the way to the dialog the page was left, or loaded anew (it is ${placeOf(browser.page.url())} now): ${error.what}`,
      });
    if (dropped.length === 0) throw error;
    throw refusal(
      'portal-changed',
      `the click on "Rotate" made the page send ${dropped.join(', ')} before any dialog; it was held back`,
      'see by hand whether this portal still asks before it rotates; a request that only reads belongs into harmlessRequests of the portal profile',
    );
  } finally {
    script.stop();
  }
}

/**
 * @param beforeAtFirst how many dialogs that speak of rotating there were before an earlier click: what stood there then, such as a
 * reminder with "Rotate now", is not the dialog of the click. Infinity where there was no click yet
 * @returns the same for the clicks up to now
 */
async function clickRotate(
  way: Way,
  opened: Promise<Dialog>,
  beforeAtFirst: number,
): Promise<{ scriptDialog: Dialog | undefined; rotate: Locator; hidesClient: boolean; before: number }> {
  const { profile, log } = way;
  let before = beforeAtFirst;
  let until: number | undefined;
  for (;;) {
    const { rotate, hidesClient, dialogs } = await findRotate(way);
    until ??= performance.now() + profile.times.clickMs;
    if (dialogs > before) return { scriptDialog: undefined, rotate, hidesClient, before };
    before = Math.min(before, dialogs);
    log('danger-zone');
    // A script dialog keeps the click from ending.
    const clicked = guardedClick(way.browser.page, rotate.click({ timeout: firstTryMs })).then(
      () => undefined,
      (error: Error) => error,
    );
    const outcome = await Promise.race([opened, clicked]);
    if (!(outcome instanceof Error)) return { scriptDialog: outcome, rotate, hidesClient, before };
    if (!isTimeout(outcome)) throw outcome;
    // On a busy machine the time may end just after the click was made.
    const came = probablyClicked(outcome) && (await firstDialog(way, opened, before));
    if (came) return { scriptDialog: came === true ? undefined : came, rotate, hidesClient, before };
    if (performance.now() > until) throw await unclickable(rotate, '"Rotate"', profile);
    await uncover(rotate, profile);
  }
}

/** @throws {RotationError} portal-changed, unless it speaks of rotating, of nothing worse, and of no other client */
function judge(text: string, { profile: { messages }, account: { clientId }, told }: Way): void {
  // Where a link leads is neither seen nor heard; an id in there tells all the same.
  const words = text.replace(/^ *- \/url:.*$/gm, '');
  const [forbidden] = anyOf(messages.forbidden).exec(words) ?? [];
  const change = (what: string) => `read the dialog by hand; if it is the right one, ${what} in the portal profile`;
  if (forbidden !== undefined)
    throw refusal(
      'portal-changed',
      `the dialog speaks of something else than rotating: "${forbidden.slice(0, 60)}"`,
      change('replace messages.forbidden'),
    );
  // The ids of a provider are alike; a page may write them large. What else is known, such as the secret as it is now, is none.
  const ours = new Set([clientId, ...told].map((value) => value.toLowerCase()));
  const alike = text.match(/[\w-]+/g)?.filter((word) => word.length === clientId.length && /\d/.test(word)) ?? [];
  if (/\d/.test(clientId) && clientId.length >= 16 && alike.some((word) => !ours.has(word.toLowerCase())))
    throw refusal(
      'portal-changed',
      'the dialog names what looks like the id of another client',
      'see by hand which client that "Rotate" belongs to; set locators.rotate in the portal profile',
    );
  if (!anyOf(messages.rotating).test(words))
    throw refusal(
      'portal-changed',
      'the dialog does not speak of rotating',
      change('add its words to messages.rotating'),
    );
}

type Understood = Omit<OpenDialog, 'hidesClient'>;

function scriptDialogToPress(way: Way, dialog: Dialog): Understood {
  const { profile, account } = way;
  judge(dialog.message(), way);
  const [word] = wordsToType(dialog.message(), [], { id: account.clientId, names: [] }, profile);
  return {
    blocksPage: true,
    findings: { dialog: `window.${dialog.type()}` },
    press: async (untilMs) => {
      requireBefore(untilMs);
      await dialog.accept(word);
    },
    isOpen: async () => false,
    complaint: async () => undefined,
    cancel: () => dialog.dismiss(),
  };
}

function rotateDialogs({ browser: { page }, profile: { labels, locators, messages } }: Way): Locator {
  if (locators.dialog) return page.locator(locators.dialog).filter({ visible: true });
  return searching(page, { find: 'dialog', name: labels.confirm, says: messages.rotating, zone: labels.dangerZone });
}

/** The script dialog, or whether the page has a dialog more than `before`, looked for as long as the page may take to settle. */
function firstDialog(way: Way, opened: Promise<Dialog>, before: number): Promise<Dialog | boolean> {
  const { dialogMs, settleMs } = way.profile.times;
  const onPage = appears(rotateDialogs(way).nth(before), Math.min(dialogMs, settleMs));
  // Under a script dialog it ends with the page, when nobody waits for it.
  onPage.catch(() => undefined);
  return Promise.race([opened, onPage]);
}

/**
 * Waits for a dialog of the page, or a script dialog: while that is open, the page answers nothing.
 *
 * @throws {RotationError} portal-changed
 */
async function dialogOpens(
  way: Way,
  rotate: Locator,
  opened: Promise<Dialog>,
  before: number,
): Promise<Dialog | undefined> {
  for (const until = performance.now() + way.profile.times.dialogMs; performance.now() < until; ) {
    const outcome = await firstDialog(way, opened, before);
    if (typeof outcome !== 'boolean') return outcome;
    // A Danger Zone that closed again may have taken the dialog along.
    if (outcome || (await rotate.count()) === 0) return undefined;
  }
  throw refusal(
    'portal-changed',
    `the click on "Rotate" opened no dialog that speaks of rotating; what the page has to click: ${await buttonsOn(way.browser.page)}`,
    'open the dialog by hand (and cancel it); set labels.confirm, messages.rotating or locators.dialog in the portal profile',
  );
}

/** @returns undefined where a section that closed again took the dialog along */
async function pageDialogToPress(way: Way, recognised: () => void, before: number): Promise<Understood | undefined> {
  const { page } = way.browser;
  const { labels, messages, locators, times } = way.profile;
  const dialog = rotateDialogs(way);
  const confirm = locators.confirm
    ? searching(dialog, { find: 'matching', css: locators.confirm })
    : searching(dialog, { find: 'clickable', name: labels.confirm });
  const found = await dialog.count();
  if (found <= before) return undefined;
  let ready: Ready;
  try {
    if (found > 1) await only(dialog, 'rotate dialogs', page);
    ready = await whenReady(way, dialog, confirm, recognised);
  } catch (error) {
    if ((await dialog.count()) === 0) return undefined;
    throw error;
  }
  const failed = anyOf(messages.failed);
  let saidBefore = ready.said;

  return {
    blocksPage: false,
    findings: { dialog, confirm },
    async press(untilMs) {
      const seen = await lookAt(way, dialog).catch(() => undefined);
      requireBefore(untilMs);
      if (seen && isReady(seen) && isStill(seen, ready) && saysTheSame(seen, ready) && !isGuarded(page))
        return page.mouse.click(ready.place.x, ready.place.y);
      try {
        const again = await lookAt(way, dialog);
        judge(await wordsOf(dialog, again), way);
        saidBefore = again.said;
      } catch {
        throw new CertainlyNotPressed('the dialog was not there any more, or said something else than before');
      }
      requireBefore(untilMs);
      const timeout = Math.min(times.clickMs, Math.max(1, untilMs - performance.now()));
      await confirm.click({ timeout }).catch((error: unknown) => {
        const clicked = clickedBefore(error);
        if (clicked === 'no') throw new CertainlyNotPressed('the button to confirm could not be clicked any more');
        if (clicked === 'unknown') throw error;
      });
    },
    // Asked of the document that is there: one that has gone took its dialog along.
    isOpen: async () => (await toldDialog(page)) !== null,
    async complaint() {
      const said = (await toldDialog(page).catch(() => null)) ?? '';
      return failed.test(said) && !failed.test(saidBefore)
        ? withoutValues(said).replace(/\s+/g, ' ').slice(0, 200)
        : undefined;
    },
    async cancel() {
      const button = searching(dialog, { find: 'clickable', name: labels.cancel });
      if ((await button.count()) === 1) await button.click({ timeout: firstTryMs });
      else await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden', timeout: times.clickMs }).catch(() => {
        throw trouble(
          'portal-changed',
          `the rotate dialog could not be cancelled within ${times.clickMs} ms`,
          'none if the retry succeeds; otherwise set labels.cancel in the portal profile',
        );
      });
    },
  };
}

async function typeWord(way: Way, dialog: Locator, confirm: Locator, seen: DialogState): Promise<void> {
  const { page } = way.browser;
  const { profile, account } = way;
  const fields = searching(dialog, { find: 'matching', css: profile.locators.wordField ?? typeable });
  const field = await onlyNow(fields, 'field in the rotate dialog', page);
  // One that is rendered anew may be gone for a moment.
  if (!field) return;
  if ((await field.getAttribute('type')) === 'password') {
    throw refusal(
      'portal-changed',
      'the rotate dialog asks for a password',
      'it is not typed there: ask for a change of the driver if the portal needs it',
    );
  }
  const hints = await Promise.all(['aria-label', 'placeholder'].map((name) => field.getAttribute(name)));
  const { said, emphasised } = seen;
  const text = [said, ...hints].join(' \n ');
  const names = /name/i.test(text) ? await clientNames((await lookAtZone(way)).part, profile) : [];
  const wordsIn = (text: string) => wordsToType(text, emphasised, { id: account.clientId, names }, profile).slice(0, 4);
  const words = wordsIn(text);
  // What a field in a shadow root is called is heard only, as is what a dialog in pieces says.
  if (words.length === 0)
    words.push(...wordsIn(/"((?:[^"\\]|\\.)*)"/.exec(await field.ariaSnapshot({ timeout: firstTryMs }))?.[1] ?? ''));
  if (words.length === 0) words.push(...wordsIn(await wordsOf(dialog, seen)));
  if (words.length === 0 && (await clientIds(dialog, profile).and(field).count()) === 1) words.push(account.clientId);
  if (words.length === 0) {
    throw refusal(
      'portal-changed',
      'the rotate dialog has a field, and what to type there was not understood',
      'read the dialog by hand, and set messages.typeThis in the portal profile so that its first group is the word',
    );
  }
  // Twice: a button that is enabled late refuses the right word at first.
  for (const word of [...words, ...words]) {
    await field.fill(word);
    // Some pages look at it when a key is let go, or when the field is left.
    await field.press('End', { timeout: firstTryMs });
    await field.blur({ timeout: firstTryMs });
    if (words.length === 1) return;
    if (await lookFor(500, () => confirm.isEnabled({ timeout: firstTryMs }).catch(() => false))) return;
  }
}

/** Those that only say that one has read and understood. */
async function tickBoxes({ profile }: Way, dialog: Locator): Promise<void> {
  const unticked = searching(dialog, { find: 'box', name: profile.labels.acknowledge });
  for (let left = await unticked.count(); left > 0; left--) {
    // The element itself: ticked, no search finds it any more.
    const box = await unticked.first().elementHandle({ timeout: firstTryMs });
    const isDrawn = (await searching(unticked.first(), { find: 'covering' }).count()) > 0;
    try {
      await guardedClick(dialog.page(), box.check({ timeout: isDrawn ? firstTryMs / 10 : firstTryMs }));
    } catch (error) {
      // A box that the page draws itself hides the real one, under its label or altogether.
      if (isTimeout(error) && !(await box.isChecked())) await box.dispatchEvent('click');
    }
  }
}

/** The dialog with a button that can be clicked. */
type Ready = DialogState & { place: { x: number; y: number } };

const isReady = (seen: DialogState): seen is Ready =>
  seen.place !== undefined && seen.hit && seen.enabled && seen.boxes === 0;

const isStill = (one: Ready, other: Ready) => one.place.x === other.place.x && one.place.y === other.place.y;

const saysTheSame = (one: DialogState, other: DialogState) => one.said === other.said && one.heard === other.heard;

type Look = DialogState & { atMs: number };

async function lookAt({ profile: { labels, locators } }: Way, dialog: Locator): Promise<Look> {
  const state = await dialogState(dialog, {
    name: labels.confirm,
    confirm: locators.confirm,
    box: labels.acknowledge,
    fields: locators.wordField ?? typeable,
  });
  return { ...state, atMs: performance.now() };
}

/** What a dialog says, to those who see it and to those who hear it: the names of its fields and boxes, what is in shadow roots. */
async function wordsOf(dialog: Locator, { said, buttons }: DialogState): Promise<string> {
  const heard = await dialog.ariaSnapshot({ timeout: firstTryMs });
  return [said, ...buttons, heard].join('\n').slice(0, 60_000);
}

/**
 * Follows the dialog's instructions until the press is nothing but the click: the button is one, enabled, at rest and not covered.
 * An app that renders the dialog anew may lose what was ticked and typed.
 *
 * @returns the dialog as it is then, what it says judged
 */
async function whenReady(way: Way, dialog: Locator, confirm: Locator, recognised: () => void): Promise<Ready> {
  const { page } = way.browser;
  const { profile } = way;
  const judged = async (look?: Look) => {
    const seen = look ?? (await lookAt(way, dialog));
    judge(await wordsOf(dialog, seen), way);
    if (seen.confirming > 1) await only(confirm, 'buttons that confirm', page);
    // Not before: "Rotating ..." is a dialog too, of a portal that does not ask.
    if (seen.confirming === 1) recognised();
    return seen;
  };
  for (const until = performance.now() + profile.times.dialogMs; ; ) {
    try {
      let seen = await judged();
      if (seen.boxes > 0) {
        await tickBoxes(way, dialog);
        seen = await judged();
      }
      if (seen.fields > 0) {
        await typeWord(way, dialog, confirm, seen);
        seen = await judged();
      }
      if (seen.confirming === 0) await appears(confirm, firstTryMs);
      else {
        const ready = await atRest(way, dialog, confirm, seen, judged);
        if (ready) return ready;
      }
    } catch (error) {
      if (!isTimeout(error)) whileReplaced(error);
    }
    if ((await dialog.count()) === 0) throw trouble('portal-changed', 'the rotate dialog closed by itself');
    if (performance.now() > until) {
      const found = await confirm.count();
      throw refusal(
        'portal-changed',
        `the rotate dialog has ${found === 0 ? 'no button that confirms' : 'a button to confirm that did not become ready'} within ${profile.times.dialogMs} ms; what the page has to click: ${await buttonsOn(page)}`,
        'open the dialog by hand (and cancel it): what has to be done before the button can be clicked? see labels.confirm, labels.acknowledge and messages.typeThis in the portal profile',
      );
    }
  }
}

/**
 * The dialog, once two looks in a row show it ready and in its place; undefined where there is more to do, or it is not in time. No
 * trial click tells: Playwright makes it with the mouse, and hides it only from listeners that come after its own, so that a page
 * could take it for the press.
 *
 * @param before the look that was judged
 * @param judged judges another: what it says may change all the time, such as a countdown
 */
async function atRest(
  way: Way,
  dialog: Locator,
  confirm: Locator,
  before: Look,
  judged: (look: Look) => Promise<Look>,
): Promise<Ready | undefined> {
  let last = before;
  const beganMs = performance.now();
  while (performance.now() < beganMs + firstTryMs) {
    // Longer than a frame; one that moves more slowly is noticed before the press.
    await sleep(Math.max(0, last.atMs + 20 - performance.now()));
    const seen = await lookAt(way, dialog);
    if (seen.boxes > 0 || seen.fields !== before.fields || seen.confirming !== 1) return undefined;
    if (!saysTheSame(seen, last)) await judged(seen);
    // Where it stands before it comes in, a click would soon meet something else; not every animation moves it.
    const isIn = !seen.comesIn || performance.now() > beganMs + firstTryMs / 2;
    if (isIn && isReady(seen) && isReady(last) && isStill(seen, last)) return seen;
    // One that moves, or lies under something, is not brought into view: that is for the caller to see.
    if (!seen.hit)
      await confirm.scrollIntoViewIfNeeded({ timeout: firstTryMs }).catch((error: unknown) => {
        if (!isTimeout(error)) throw error;
      });
    last = seen;
  }
  await uncover(confirm, way.profile);
  return undefined;
}

/**
 * What the dialog wants typed, the likeliest first.
 *
 * @param text what the dialog says, with the field's own label and placeholder
 * @param emphasised texts in it that are set apart (code, bold)
 */
export function wordsToType(
  text: string,
  emphasised: readonly string[],
  client: { id: string; names: readonly string[] },
  { messages }: PortalProfile,
): string[] {
  const asked = (text: string) =>
    (anyOf(messages.typeThis).exec(text) ?? []).slice(1).find((group) => group !== undefined) ?? '';
  const rest = asked(text.replace(/\s+/g, ' '));
  const asks = rest.split(/[.!?](?:\s|$)/)[0] ?? '';
  const apart = emphasised.map((word) => word.trim()).filter((word) => word !== '' && rest.includes(word));
  const quoted = [...asks.matchAll(/["“”„«`]([^"“”»`]{1,100})["”“»`]|(?:^|[\s(])['‘]([^'’]{1,100})['’]/g)].map(
    ([, double, single]) => double ?? single ?? '',
  );
  const named = [...asks.matchAll(/\bname\b[\s,:(]+([^,()]{2,80}?)(?:[,)]|\s+to\b|$)/gi)].map(([, name]) => name ?? '');
  const inBrackets = [...asks.matchAll(/\(([^()]{1,100})\)/g)].map(([, text]) => text ?? '');
  const plainIn = (text: string) =>
    /^(.+?)(?:\s+(?:to|in|into|below|here|and|if|then|before|for|as)\b|[.:!,;)]|\s*$)/i.exec(text)?.[1] ?? '';
  // A label that says no more ends with its line.
  const plain = [asked(text), asks].map(plainIn);
  const words = [
    ...apart.sort((a, b) => rest.indexOf(a) - rest.indexOf(b)),
    ...quoted,
    ...(asks.includes(client.id) || /client\W{0,3}s?\s*id\b/i.test(asks) ? [client.id] : []),
    ...(/\bname\b/i.test(asks) ? [...named.filter((name) => !/^of\b/.test(name)), ...inBrackets, ...client.names] : []),
    ...plain.filter((word) => !/^(the|your|this|that|a|an|my|to|in|it|client)\b/i.test(word)),
  ];
  return [...new Set(words.map((word) => word.replace(/["“”„«»`‘’]/g, '').trim()).filter((word) => word !== ''))];
}
