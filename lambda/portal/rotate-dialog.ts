import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialog, Locator } from 'playwright-core';
import { clientIds, clientNames, clientPart } from './client.ts';
import { refusal, trouble } from './failures.ts';
import { buttonsOn, visibleText, withoutValues } from './outline.ts';
import {
  appears,
  atHand,
  click,
  firstTryMs,
  isTimeout,
  only,
  unclickable,
  uncover,
  whileReplaced,
} from './page-actions.ts';
import { type Found, searchIn, searching } from './page-search.ts';
import { anyOf, type PortalProfile } from './profile.ts';
import { pageOf, type Way } from './way.ts';

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
 * @returns the one button "Rotate" that belongs to "Rotate Secret" in there, and whether the client's id and secret are seen beside it
 * @throws {RotationError} portal-changed
 */
export async function findRotate(way: Way): Promise<{ rotate: Locator; hidesClient: boolean }> {
  const { page } = way.browser;
  const { labels, locators, times } = way.profile;
  const until = performance.now() + times.clickMs + times.settleMs;
  let clickedAtMs = Number.NEGATIVE_INFINITY;
  for (let clicks = 0; ; await sleep(5)) {
    const { part, hidesClient } = await partOfClient(way);
    const zone = locators.dangerZone
      ? part.locator(locators.dangerZone)
      : searching(part, { find: 'zone', zone: labels.dangerZone });
    const rotate = locators.rotate
      ? part.locator(locators.rotate).filter({ visible: true })
      : searching(part, { find: 'rotate', zone: labels.dangerZone, section: labels.rotateSecret, name: labels.rotate });
    const [found, toggles] = await Promise.all([rotate.count(), zone.count()]);
    if (found === 1) return { rotate, hidesClient };
    if (found > 1) await only(rotate, 'buttons "Rotate" under "Rotate Secret"', page);
    if (performance.now() > until) {
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
async function partOfClient(way: Way): Promise<{ part: Locator; hidesClient: boolean }> {
  const part = clientPart(way);
  if ((await part.count()) > 0) return { part, hidesClient: false };
  const hidden = clientPart(way, true);
  if ((await hidden.count()) === 1) return { part: hidden, hidesClient: true };
  return { part: way.aloneOn === pageOf(way) ? way.browser.page.locator('body') : part, hidesClient: true };
}

/**
 * Everything up to the press: Danger Zone, "Rotate" under "Rotate Secret", the dialog, its word and its box. Until the dialog is
 * there, requests that may change something are held back.
 *
 * @throws {RotationError} portal-changed
 */
export async function openDialog(way: Way): Promise<OpenDialog> {
  const { browser, log } = way;
  const held = browser.holdRequests();
  const script = browser.nextScriptDialog();
  let scriptDialog: Dialog | undefined;
  let before = Number.POSITIVE_INFINITY;
  try {
    for (let tries = 1; ; tries++) {
      const clicked = await clickRotate(way, script.opened, before);
      const { rotate, hidesClient } = clicked;
      before = clicked.before;
      scriptDialog = clicked.scriptDialog ?? (await dialogOpens(way, rotate, script.opened, before));
      const opened = scriptDialog
        ? scriptDialogToPress(way, scriptDialog)
        : await pageDialogToPress(way, held.release, before);
      if (!opened) {
        if (tries < 3) continue;
        throw trouble('portal-changed', 'the rotate dialog closed by itself');
      }
      held.release();
      log('dialog');
      return { ...opened, hidesClient };
    }
  } catch (error) {
    await scriptDialog?.dismiss();
    const dropped = held.drop();
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
  for (const until = performance.now() + profile.times.clickMs; ; ) {
    const { rotate, hidesClient } = await findRotate(way);
    const open = await rotateDialogs(way).count();
    if (open > before) return { scriptDialog: undefined, rotate, hidesClient, before };
    before = Math.min(before, open);
    log('danger-zone');
    // A script dialog keeps the click from ending.
    const clicked = rotate.click({ timeout: firstTryMs }).then(
      () => undefined,
      (error: Error) => error,
    );
    const outcome = await Promise.race([opened, clicked]);
    if (!(outcome instanceof Error)) return { scriptDialog: outcome, rotate, hidesClient, before };
    // On a busy machine the time may end just after the click was made: then its dialog is there at the next look.
    if (!isTimeout(outcome)) throw outcome;
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

/** What one reads in it: its text, and what was put into its slots from outside. */
async function seenIn(box: Found): Promise<string> {
  const parts = [box, ...(await searchIn(box, { find: 'slotted' }))];
  return (await Promise.all(parts.map((part) => visibleText(part)))).join('\n');
}

/**
 * What a dialog says, to those who see it and to those who hear it: the names of its fields and boxes, what is in shadow roots.
 * In its own text, buttons side by side run together: "CancelRotate".
 */
async function wordsOf(dialog: Locator, box: Found, seen: Promise<string>): Promise<string> {
  const buttons = searchIn(box, { find: 'matching', css: 'button,[role=button]' });
  const named = buttons.then((all) => Promise.all(all.map((button) => visibleText(button))));
  const said = await Promise.all([seen, named, dialog.ariaSnapshot({ timeout: firstTryMs })]);
  return said.flat().join('\n').slice(0, 60_000);
}

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
  const { dialogMs, settleMs } = way.profile.times;
  for (const until = performance.now() + dialogMs; performance.now() < until; ) {
    const onPage = appears(rotateDialogs(way).nth(before), Math.min(dialogMs, settleMs));
    onPage.catch(() => undefined);
    const outcome = await Promise.race([opened, onPage]);
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
    ? dialog.locator(locators.confirm)
    : searching(dialog, { find: 'clickable', name: labels.confirm });
  if ((await dialog.count()) <= before) return undefined;
  let ready: Awaited<ReturnType<typeof whenReady>>;
  try {
    await only(dialog, 'rotate dialogs', page);
    ready = await whenReady(way, dialog, confirm, recognised);
  } catch (error) {
    if ((await dialog.count()) === 0) return undefined;
    throw error;
  }
  const { said, box, button, place } = ready;
  const failed = anyOf(messages.failed);
  let saidBefore = said;

  /** Where to click, if the button is as it was when it was ready: quicker than looking for it anew. */
  async function unchanged(): Promise<{ x: number; y: number } | undefined> {
    const isNamed = locators.confirm ? [button] : searchIn(button, { find: 'named', name: labels.confirm });
    // biome-ignore format: one look
    const [text, now, enabled, hits, names] = await Promise.all([seenIn(box), button.boundingBox(), button.isEnabled(), searchIn(button, { find: 'hit' }), isNamed]);
    const still =
      enabled &&
      names.length === 1 &&
      hits.length === 1 &&
      now?.x === place.x &&
      now.y === place.y &&
      text === saidBefore;
    return still ? { x: now.x + now.width / 2, y: now.y + now.height / 2 } : undefined;
  }

  return {
    blocksPage: false,
    findings: { dialog, confirm },
    async press(untilMs) {
      const place = await unchanged().catch(() => undefined);
      requireBefore(untilMs);
      if (place) return page.mouse.click(place.x, place.y);
      try {
        const again = await atHand(dialog);
        const said = seenIn(again);
        judge(await wordsOf(dialog, again, said), way);
        saidBefore = await said;
      } catch {
        throw new CertainlyNotPressed('the dialog was not there any more, or said something else than before');
      }
      requireBefore(untilMs);
      await confirm.click({ timeout: firstTryMs }).catch((error: unknown) => {
        throw neverClicked(error)
          ? new CertainlyNotPressed('the button to confirm could not be clicked any more')
          : error;
      });
    },
    async isOpen() {
      try {
        return await box.isVisible();
      } catch (error) {
        if (/crashed|closed/.test(String(error))) throw error;
        // A document that has gone took its dialog along; a browser that has gone cannot answer this.
        await page.locator('html').count();
        return false;
      }
    },
    async complaint() {
      const text = await seenIn(box).catch(() => '');
      return failed.test(text) && !failed.test(saidBefore)
        ? withoutValues(text).replace(/\s+/g, ' ').slice(0, 200)
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

async function typeWord(way: Way, dialog: Locator, confirm: Locator): Promise<void> {
  const { page } = way.browser;
  const { profile, account } = way;
  const { wordField } = profile.locators;
  const matching = (css: string) => searching(dialog, { find: 'matching', css });
  const fields = (wordField ? dialog.locator(wordField) : matching(typeable)).filter({ visible: true });
  if ((await fields.count()) === 0) return;
  const field = await only(fields, 'field in the rotate dialog', page);
  if ((await field.getAttribute('type')) === 'password') {
    throw refusal(
      'portal-changed',
      'the rotate dialog asks for a password',
      'it is not typed there: ask for a change of the driver if the portal needs it',
    );
  }
  const hints = await Promise.all(['aria-label', 'placeholder'].map((name) => field.getAttribute(name)));
  const box = await atHand(dialog);
  const seen = seenIn(box);
  const text = [await seen, ...hints].join(' \n ');
  const emphasised = await matching('code,kbd,samp,pre,strong,b,em,mark,var').allTextContents();
  const names = /name/i.test(text) ? await clientNames((await partOfClient(way)).part, profile) : [];
  const wordsIn = (text: string) => wordsToType(text, emphasised, { id: account.clientId, names }, profile).slice(0, 4);
  const words = wordsIn(text);
  // What a field in a shadow root is called is heard only.
  if (words.length === 0) words.push(...wordsIn(await wordsOf(dialog, box, seen)));
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
    for (const until = performance.now() + 500; performance.now() < until; await sleep(20)) {
      if (await confirm.isEnabled({ timeout: firstTryMs }).catch(() => false)) return;
    }
  }
}

/** Those that only say that one has read and understood. */
async function tickBoxes({ profile }: Way, dialog: Locator): Promise<void> {
  const unticked = searching(dialog, { find: 'box', name: profile.labels.acknowledge });
  for (let left = await unticked.count(); left > 0; left--) {
    const box = await atHand(unticked.first());
    try {
      await box.check({ timeout: firstTryMs });
    } catch (error) {
      // A box that the page draws itself hides the real one, under its label or altogether.
      if (isTimeout(error) && !(await box.isChecked())) await box.dispatchEvent('click');
    }
  }
}

/** What a dialog says and has, in one look. */
async function lookAt({ profile: { labels, locators } }: Way, dialog: Locator) {
  const box = await atHand(dialog);
  const seen = seenIn(box);
  const confirming = locators.confirm
    ? box.$$(locators.confirm)
    : searchIn(box, { find: 'clickable', name: labels.confirm });
  const [said, words, buttons, place, unticked, fields] = await Promise.all([
    seen,
    wordsOf(dialog, box, seen),
    confirming,
    confirming.then(([button]) => button && whereReady(button)),
    searchIn(box, { find: 'box', name: labels.acknowledge }),
    locators.wordField ? box.$$(locators.wordField) : searchIn(box, { find: 'matching', css: typeable }),
  ]);
  const [button] = buttons.length === 1 ? buttons : [];
  const toDo = unticked.length + fields.length > 0;
  return { box, said, words, isOne: buttons.length < 2, button, place, toDo, isTicked: unticked.length === 0 };
}

/**
 * Follows the dialog's instructions until the press is nothing but the click: the button is one, enabled, at rest and not covered.
 * An app that renders the dialog anew may lose what was ticked and typed.
 *
 * @returns what it says then, judged, and where its button is
 */
async function whenReady(way: Way, dialog: Locator, confirm: Locator, recognised: () => void) {
  const { page } = way.browser;
  const { profile } = way;
  const judged = async () => {
    const seen = await lookAt(way, dialog);
    judge(seen.words, way);
    if (!seen.isOne) await only(confirm, 'buttons that confirm', page);
    // Not before: "Rotating ..." is a dialog too, of a portal that does not ask.
    if (seen.button) recognised();
    return seen;
  };
  for (const until = performance.now() + profile.times.dialogMs; ; ) {
    try {
      let seen = await judged();
      if (seen.toDo) {
        await tickBoxes(way, dialog);
        await typeWord(way, dialog, confirm);
        seen = await judged();
      }
      const { box, said, button, place, isTicked } = seen;
      if (button && place && isTicked) return { box, said, place, button };
      if (!button) await appears(confirm, firstTryMs);
      else if (!(await whereReady(button, firstTryMs))) await uncover(confirm, profile);
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
 * Where the button is, once it is at rest, enabled, and what a click would meet; undefined where it is not within the time. No trial
 * click tells: Playwright makes it with the mouse, and hides it only from listeners that come after its own, so that a page could
 * take it for the press.
 */
async function whereReady(button: Found, withinMs = 0): Promise<{ x: number; y: number } | undefined> {
  const until = performance.now() + withinMs;
  do {
    const before = await button.boundingBox();
    // Longer than a frame; one that moves more slowly is noticed before the press.
    await sleep(20);
    // biome-ignore format: one look
    const [place, enabled, hits] = await Promise.all([button.boundingBox(), button.isEnabled(), searchIn(button, { find: 'hit' })]);
    if (!place) return undefined;
    if (enabled && hits.length === 1 && place.x === before?.x && place.y === before.y) return place;
    // One that moves, or lies under something, is not brought into view: that is for the caller to see.
    if (hits.length === 0 && withinMs > 0)
      await button.scrollIntoViewIfNeeded({ timeout: firstTryMs }).catch((error: unknown) => {
        if (!isTimeout(error)) throw error;
      });
  } while (performance.now() < until);
  return undefined;
}

/**
 * Whether Playwright gave the click up while it still waited for the button to be ready for it. Its log alone tells; a log that
 * does not read as it does today tells nothing, and then the click may have been made.
 */
export function neverClicked(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return (
    /waiting for|attempting click action|strict mode violation/.test(message) &&
    !/performing click action|closed|crashed/.test(message)
  );
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
