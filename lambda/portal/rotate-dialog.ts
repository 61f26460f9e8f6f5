import { setTimeout as sleep } from 'node:timers/promises';
import type { Dialog, Locator, Request } from 'playwright-core';
import { RotationError } from '../rotation/rotation-error.ts';
import { clientIds, clientIdsOn, clientNames, clientSearch, readSecret } from './client.ts';
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
  /** What it says that it did not say before the press. */
  news(): Promise<string>;
  cancel(): Promise<void>;
  /** Which locators matched what. */
  readonly findings: Record<string, Locator | string>;
}

export class CertainlyNotPressed extends Error {}

export const oneLine = (text: string) => withoutValues(text).replace(/\s+/g, ' ').trim().slice(0, 200);

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

const rotateSearch = ({ dangerZone, rotateSecret, rotate, otherSecrets }: PortalProfile['labels']) => ({
  zone: dangerZone,
  section: rotateSecret,
  name: rotate,
  otherLabels: otherSecrets,
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

/**
 * Everything up to the press: Danger Zone, "Rotate" under "Rotate Secret", the dialog, its word and its box. Until the dialog is
 * there, requests that may change something are held back.
 *
 * @param shownSecret the client secret that the page shows
 * @throws {RotationError} portal-changed; `pressed: unknown` where a portal that does not ask may have taken the click for the press
 */
export async function openDialog(way: Way, shownSecret: string): Promise<OpenDialog> {
  const { browser, log } = way;
  const { documents } = browser;
  const opening: Opening = {
    documents,
    clicked: false,
    asked: false,
    before: Number.POSITIVE_INFINITY,
    underWay: new Set(),
  };
  const names = await namesOn(way);
  const held = browser.holdRequests();
  let script: ReturnType<typeof browser.nextScriptDialog> | undefined;
  let scriptDialog: Dialog | undefined;
  try {
    for (let tries = 1; ; tries++) {
      script?.stop();
      script = browser.nextScriptDialog();
      const opened = Promise.race([script.opened, held.navigates]);
      opened.catch(() => undefined);
      const { rotate, hidesClient, ...clicked } = await clickRotate(way, opened, opening);
      scriptDialog = clicked.scriptDialog ?? (await dialogOpens(way, rotate, opened, opening.before));
      opening.asked ||= scriptDialog !== undefined;
      const understood = scriptDialog
        ? await scriptDialogToPress(way, scriptDialog, names)
        : await pageDialogToPress(way, held.release, opening, names);
      if (!understood) {
        if (tries < 3) continue;
        throw trouble('portal-changed', 'the rotate dialog closed by itself');
      }
      held.release();
      log('dialog');
      return { ...understood, hidesClient };
    }
  } catch (error) {
    await scriptDialog?.dismiss().catch(() => undefined);
    const dropped = held.drop();
    if (dropped.length > 0)
      throw refusal(
        'portal-changed',
        `the click on "Rotate" made the page send ${dropped.join(', ')} before any dialog; it was held back`,
        'see by hand whether this portal still asks before it rotates; a request that only reads belongs into harmlessRequests of the portal profile',
      );
    if (!(error instanceof RotationError)) throw error;
    const left =
      browser.documents > documents
        ? `on the way to the dialog the page was left, or loaded anew (it is ${placeOf(browser.page.url())} now): `
        : '';
    const shownNow = opening.clicked ? await readSecret(way, false).catch(() => undefined) : undefined;
    const isOther = shownNow !== undefined && shownNow !== shownSecret;
    const rotated = isOther ? '; the page shows another client secret now' : '';
    const explained = error.with({ what: `${left}${error.what}${rotated}` });
    const mayHavePressed = isOther || (!opening.asked && hasMoved(way, opening));
    throw mayHavePressed ? explained.with({ pressed: 'unknown' }) : explained;
  } finally {
    script?.stop();
  }
}

/** What is known on the way to the dialog. */
interface Opening {
  /** How many documents there had been before the first click on "Rotate". */
  documents: number;
  /** Whether that may have been made. */
  clicked: boolean;
  /** Whether there was a dialog then, whatever it said. */
  asked: boolean;
  /**
   * How many dialogs that speak of rotating there were before the first click: what stood there then, such as a reminder with "Rotate
   * now", is not the dialog of the click. Infinity before it.
   */
  before: number;
  /** What the page was asking for at that moment. */
  underWay: Set<Request>;
}

/** Whether the click has led to another page, or may have told the server something unseen. */
const hasMoved = ({ browser }: Way, { documents, clicked }: Opening) =>
  clicked && (browser.documents > documents || browser.isLeaving || browser.hasSocket);

/** A click that may have been the press is made once. */
function requireUnmoved(way: Way, opening: Opening): void {
  if (!hasMoved(way, opening)) return;
  throw trouble(
    'portal-changed',
    'the click on "Rotate" was made and opened no dialog; it was not made again, since this portal may rotate without asking',
    'see by hand what "Rotate" does; none if the retry succeeds: it adopts what the portal shows',
  );
}

/** @returns nothing where the page has no other client */
async function namesOn(way: Way): Promise<Names> {
  const { browser, profile, account } = way;
  const ids = await clientIdsOn(way);
  const others = ids.filter((id) => id !== account.clientId);
  if (others.length === 0) return { ours: [], others: [] };
  const named = async (clientId: string) =>
    clientNames(searching(browser.page, clientSearch({ ...way, account: { ...account, clientId } })), profile);
  const ours = await named(account.clientId);
  const theirs = (await Promise.all(others.slice(0, 20).map(named))).flat();
  // A heading may be what a section is called, and no name.
  const isLabel = anyOf([...Object.values(profile.labels), profile.messages.rotating].flat());
  return { ours, others: theirs.filter((name) => name.length >= 4 && !ours.includes(name) && !isLabel.test(name)) };
}

/** What our client and others on the page are called. */
interface Names {
  ours: string[];
  others: string[];
}

/** Notes in `opening` what was clicked, and how many dialogs there were before. */
async function clickRotate(
  way: Way,
  opened: Promise<Dialog>,
  opening: Opening,
): Promise<{ scriptDialog: Dialog | undefined; rotate: Locator; hidesClient: boolean }> {
  const { profile, log } = way;
  let until: number | undefined;
  for (;;) {
    requireUnmoved(way, opening);
    const { rotate, hidesClient, dialogs } = await findRotate(way).catch((error: unknown) => {
      if (!opening.clicked || !(error instanceof RotationError)) throw error;
      throw error.with({ what: `after "Rotate" was clicked, ${error.what}` });
    });
    until ??= performance.now() + profile.times.clickMs;
    if (dialogs > opening.before) return { scriptDialog: undefined, rotate, hidesClient };
    opening.before = Math.min(opening.before, dialogs);
    log('danger-zone');
    if (!opening.clicked) opening.documents = way.browser.documents;
    opening.underWay = new Set(way.browser.underWay);
    // A script dialog keeps the click from ending.
    const clicked = guardedClick(way.browser.page, rotate.click({ timeout: firstTryMs })).then(
      () => undefined,
      (error: Error) => error,
    );
    const outcome = await Promise.race([opened, clicked]);
    opening.clicked ||= !(outcome instanceof Error) || !isTimeout(outcome) || probablyClicked(outcome);
    if (!(outcome instanceof Error)) return { scriptDialog: outcome, rotate, hidesClient };
    if (!isTimeout(outcome)) throw outcome;
    // On a busy machine the time may end just after the click was made.
    const came = probablyClicked(outcome) && (await firstDialog(way, opened, opening.before));
    if (came) return { scriptDialog: came === true ? undefined : came, rotate, hidesClient };
    if (performance.now() > until) throw await unclickable(rotate, '"Rotate"', profile);
    await uncover(rotate, profile);
  }
}

/** @throws {RotationError} portal-changed, unless it speaks of rotating, of nothing worse, and of no other client */
function judge(text: string, { profile: { messages }, account: { clientId }, told }: Way, names: Names): void {
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
  const other = names.others.find((name) => words.includes(name));
  if (other !== undefined && ![clientId, ...names.ours].some((name) => words.includes(name)))
    throw refusal(
      'portal-changed',
      `the dialog speaks of another client on the page: "${withoutValues(other).slice(0, 60)}"`,
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

/** @returns undefined where a prompt was cancelled, to be asked again when the page has told what it wants */
async function scriptDialogToPress(way: Way, dialog: Dialog, names: Names): Promise<Understood | undefined> {
  const { profile, account } = way;
  const text = dialog.message();
  judge(text, way, names);
  const isPrompt = dialog.type() === 'prompt';
  if (isPrompt) refuseProof(askedFor(text, profile), profile);
  if (isPrompt && names.ours.length === 0 && /name/i.test(text)) {
    await dialog.dismiss();
    names.ours = await clientNames((await lookAtZone(way)).part, profile);
    return names.ours.length > 0 ? undefined : Promise.reject(notUnderstood());
  }
  const [word] = isPrompt ? wordsToType(text, [], { id: account.clientId, names: names.ours }, profile) : [];
  if (isPrompt && word === undefined) throw notUnderstood();
  return {
    blocksPage: true,
    findings: { dialog: `window.${dialog.type()}` },
    press: async (untilMs) => {
      requireBefore(untilMs);
      await dialog.accept(word);
    },
    isOpen: async () => false,
    complaint: async () => undefined,
    news: async () => '',
    cancel: () => dialog.dismiss(),
  };
}

const notUnderstood = () =>
  refusal(
    'portal-changed',
    'the rotate dialog has a field, and what to type there was not understood',
    'read the dialog by hand, and set messages.typeThis in the portal profile so that its first group is the word',
  );

/** What a dialog says that asks to confirm once more, after the first has gone. */
export async function furtherQuestion(way: Way): Promise<string | undefined> {
  const dialog = rotateDialogs(way);
  if ((await dialog.count()) !== 1) return undefined;
  const { confirming, said } = await lookAt(way, dialog);
  return confirming > 0 ? oneLine(said) : undefined;
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
async function pageDialogToPress(
  way: Way,
  recognised: () => void,
  opening: Opening,
  names: Names,
): Promise<Understood | undefined> {
  const { page } = way.browser;
  const { labels, messages, locators, times } = way.profile;
  const dialog = rotateDialogs(way);
  const confirm = locators.confirm
    ? searching(dialog, { find: 'matching', css: locators.confirm })
    : searching(dialog, { find: 'clickable', name: labels.confirm });
  const found = await dialog.count();
  if (found <= opening.before) return undefined;
  opening.asked = true;
  let ready: Ready;
  try {
    if (found > 1) await only(dialog, 'rotate dialogs', page);
    ready = await whenReady(way, dialog, confirm, recognised, opening, names);
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
        judge(await wordsOf(dialog, again), way, names);
        saidBefore = again.said;
      } catch (cause) {
        throw new CertainlyNotPressed('the dialog was not there any more, or said something else than before', {
          cause,
        });
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
      return failed.test(said) && !failed.test(saidBefore) ? oneLine(said) : undefined;
    },
    async news() {
      const said = (await toldDialog(page).catch(() => null)) ?? '';
      const before = new Set(saidBefore.split('\n'));
      return oneLine(
        said
          .split('\n')
          .filter((line) => !before.has(line))
          .join('\n'),
      );
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
  refuseProof(askedFor(seen.said, profile), profile);
  const field = await onlyNow(fields, 'field in the rotate dialog', page);
  // One that is rendered anew may be gone for a moment.
  if (!field) return;
  const attribute = (name: string) => field.getAttribute(name);
  const [type, autocomplete, ...hints] = await Promise.all(
    ['type', 'autocomplete', 'aria-label', 'placeholder'].map(attribute),
  );
  // What a field in a shadow root is called is heard only.
  const called = /"((?:[^"\\]|\\.)*)"/.exec(await field.ariaSnapshot({ timeout: firstTryMs }))?.[1] ?? '';
  const isProof = type === 'password' || /password|one-time-code/.test(autocomplete ?? '');
  refuseProof([isProof ? 'password' : '', called, ...hints].join(' '), profile);
  // Buttons side by side run on from what stands before them.
  const buttons = new RegExp(`(${seen.buttons.filter(Boolean).map(RegExp.escape).join('|') || '$'}|\\s)+$`);
  const text = [seen.said.replace(buttons, ''), ...hints].join(' \n ');
  const names = /name/i.test(text) ? await clientNames((await lookAtZone(way)).part, profile) : [];
  const [, placeholder] = hints;
  const shown = placeholder ? [placeholder] : [];
  const wordsIn = (text: string) =>
    wordsToType(text, seen.emphasised, { id: account.clientId, names }, profile, shown).slice(0, 4);
  const words = wordsIn(text);
  if (words.length === 0) words.push(...wordsIn(called));
  // What a dialog in pieces says is heard only.
  if (words.length === 0) words.push(...wordsIn(await wordsOf(dialog, seen)));
  if (words.length === 0 && (await clientIds(dialog, profile).and(field).count()) === 1) words.push(account.clientId);
  if (words.length === 0) throw notUnderstood();
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

/** @throws {RotationError} portal-changed, where that is for a proof that the dialog itself does not give */
function refuseProof(asked: string, { messages }: PortalProfile): void {
  if (!anyOf(messages.proof).test(asked)) return;
  throw refusal(
    'portal-changed',
    'the rotate dialog asks for a password, a PIN or a one-time code',
    'none is typed there: ask for a change of the driver if the portal needs it; if it does not, correct messages.proof in the portal profile',
  );
}

/** What is chosen in a dialog is for a person to see, unless it is our client. */
async function refuseChoice(way: Way, { chosen, otherTicks }: DialogState): Promise<void> {
  if (chosen.length === 0 && otherTicks === 0) return;
  const { profile, account } = way;
  const ours = [account.clientId, ...(await clientNames((await lookAtZone(way)).part, profile))];
  if (otherTicks === 0 && chosen.every((choice) => ours.some((name) => choice.includes(name)))) return;
  throw refusal(
    'portal-changed',
    `the rotate dialog has ${otherTicks > 0 ? 'a box that was ticked already' : 'a choice to make'}, and nothing here knows what that does`,
    'see by hand what the portal wants to know there; a box that only says that one has understood belongs into labels.acknowledge of the portal profile',
  );
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
async function whenReady(
  way: Way,
  dialog: Locator,
  confirm: Locator,
  recognised: () => void,
  { underWay }: Opening,
  names: Names,
): Promise<Ready> {
  const { browser, profile } = way;
  const { dialogMs, settleMs } = profile.times;
  const beganMs = performance.now();
  const judged = async (look?: Look) => {
    const seen = look ?? (await lookAt(way, dialog));
    judge(await wordsOf(dialog, seen), way, names);
    if (seen.confirming > 1) await only(confirm, 'buttons that confirm', browser.page);
    // Not before: "Rotating ..." is a dialog too, of a portal that does not ask.
    if (seen.confirming === 1) recognised();
    return seen;
  };
  /** What it will say may come with the answer to a request. */
  const isLoading = ({ busy, said }: DialogState) =>
    busy ||
    anyOf(profile.messages.loading).test(said) ||
    (performance.now() < beganMs + settleMs &&
      [...browser.underWay].some((request) => isLoad(request) && !underWay.has(request)));
  let filling: ReturnType<typeof browser.holdRequests> | undefined;
  let loading = false;
  try {
    for (;;) {
      try {
        let seen = await lookAt(way, dialog);
        loading = isLoading(seen);
        if (loading) await sleep(20);
        else {
          seen = await judged(seen);
          await refuseChoice(way, seen);
          // What is ticked and typed is no press, whatever the page takes it for.
          if (seen.boxes + seen.fields > 0) filling ??= browser.holdRequests();
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
            if (ready && filling?.isEmpty !== false) return ready;
          }
        }
      } catch (error) {
        if (!isTimeout(error)) whileReplaced(error);
      }
      const sent = filling?.isEmpty === false ? filling.drop() : [];
      if (sent.length > 0)
        throw refusal(
          'portal-changed',
          `what was ticked or typed in the rotate dialog made the page send ${sent.join(', ')}; it was held back`,
          'see by hand whether this portal rotates before the button is clicked; a request that only reads belongs into harmlessRequests of the portal profile',
        );
      if ((await dialog.count()) === 0) throw trouble('portal-changed', 'the rotate dialog closed by itself');
      if (performance.now() > beganMs + dialogMs) {
        const found = await confirm.count();
        throw refusal(
          'portal-changed',
          `the rotate dialog ${loading ? 'says that it is still loading' : found === 0 ? 'has no button that confirms' : 'has a button to confirm that did not become ready'} within ${dialogMs} ms; what the page has to click: ${await buttonsOn(browser.page)}`,
          'open the dialog by hand (and cancel it): what has to be done before the button can be clicked? see labels.confirm, labels.acknowledge and messages.typeThis in the portal profile',
        );
      }
    }
  } finally {
    filling?.drop();
  }
}

const isLoad = (request: Request) => /^(xhr|fetch)$/.test(request.resourceType()) && request.method() === 'GET';

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

/** What the text says that is to be typed, to the end of its sentence. */
function askedFor(text: string, { messages }: PortalProfile): string {
  const [, ...groups] = anyOf(messages.typeThis).exec(text) ?? [];
  return groups.find((group) => group !== undefined) ?? '';
}

/**
 * What the dialog wants typed, the likeliest first.
 *
 * @param text what the dialog says, with the field's own label and placeholder
 * @param emphasised texts in it that are set apart (code, bold)
 * @param shown what stands in the field until somebody types
 */
export function wordsToType(
  text: string,
  emphasised: readonly string[],
  client: { id: string; names: readonly string[] },
  profile: PortalProfile,
  shown: readonly string[] = [],
): string[] {
  const rest = askedFor(text.replace(/\s+/g, ' '), profile);
  const asks = rest.split(/[.!?](?:\s|$)/)[0] ?? '';
  // A part of something else: "the last 4 characters".
  if (/\b(first|last|\d+)\b.{0,20}\b(characters?|letters?|digits?)\b/i.test(asks)) return [];
  const apart = emphasised.map((word) => word.trim()).filter((word) => word !== '' && rest.includes(word));
  const quoted = [...asks.matchAll(/["“”„«`]([^"“”»`]{1,100})["”“»`]|(?:^|[\s(])['‘]([^'’]{1,100})['’]/g)].map(
    ([, double, single]) => double ?? single ?? '',
  );
  const named = [...asks.matchAll(/\bname\b[\s,:(]+([^,()]{2,80}?)(?:[,)]|\s+to\b|$)/gi)].map(([, name]) => name ?? '');
  const inBrackets = [...asks.matchAll(/\(([^()]{1,100})\)/g)].map(([, text]) => text ?? '');
  const plainIn = (text: string) =>
    /^(.+?)(?:\s+(?:to|in|into|below|here|and|if|then|before|for|as)\b|[.:!,;)]|\s*$)/i.exec(text)?.[1] ?? '';
  // A label that says no more ends with its line.
  const plain = [askedFor(text, profile), asks].map(plainIn);
  const isPointed = /\b(below|above|shown|following)\b/i.test(asks);
  const words = [
    ...apart.sort((a, b) => rest.indexOf(a) - rest.indexOf(b)),
    ...quoted,
    ...(asks.includes(client.id) || /client\W{0,3}s?\s*id\b/i.test(asks) ? [client.id] : []),
    ...(/\bname\b/i.test(asks)
      ? [...named.filter((name) => !/^(of|to)\b/.test(name)), ...inBrackets, ...client.names]
      : []),
    ...plain.filter(
      (word) => !/^(the|your|this|that|a|an|my|to|in|it|client|below|above|shown|here|following)\b/i.test(word),
    ),
    ...(isPointed ? shown : []),
  ];
  return [...new Set(words.map((word) => word.replace(/["“”„«»`‘’]/g, '').trim()).filter((word) => word !== ''))];
}
