import type { Dialog, Locator, Request } from 'playwright-core';
import { RotationError } from '../rotation/rotation-error.ts';
import { readSecret } from './client.ts';
import { findRotate, namesOn, ourNames, rotateDialogs } from './danger-zone.ts';
import { isReady, isStill, lookAt, type Ready, saysTheSame, whenReady, wordsOf } from './dialog-ready.ts';
import { judge, type Names, notUnderstood, oneLine, refuseProof, wordsToType } from './dialog-words.ts';
import { clickedBefore, isTimeout, probablyClicked, refusal, trouble } from './failures.ts';
import { buttonsOn, placeOf } from './outline.ts';
import { appears, firstTryMs, guardedClick, isGuarded, only, unclickable, uncover } from './page-actions.ts';
import { searching, toldDialog } from './page-search.ts';
import { anyOf } from './profile.ts';
import type { Way } from './way.ts';

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

/** A page that is slow to answer must not have a click wait until nobody reckons with it any more. */
function requireBefore(untilMs: number): void {
  if (performance.now() > untilMs)
    throw new CertainlyNotPressed('the page was too slow to answer just before the press');
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
    framesSent: 0,
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
      scriptDialog = clicked.scriptDialog ?? (await dialogOpens(way, rotate, opened, opening));
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
  /** How much had been said over sockets by then. */
  framesSent: number;
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

/** Whether the click has led to another page. */
const isElsewhere = ({ browser }: Way, { documents }: Opening) => browser.documents > documents || browser.isLeaving;

/** Whether it has, or may have told the server something unseen. */
const hasMoved = (way: Way, opening: Opening) =>
  opening.clicked && (isElsewhere(way, opening) || way.browser.framesSent > opening.framesSent);

/** A click that may have been the press is made once. */
function requireUnmoved(way: Way, opening: Opening): void {
  if (opening.asked || !hasMoved(way, opening)) return;
  throw trouble(
    'portal-changed',
    'the click on "Rotate" was made and opened no dialog; it was not made again, since this portal may rotate without asking',
    'see by hand what "Rotate" does; none if the retry succeeds: it adopts what the portal shows',
  );
}

/** Notes in `opening` what was clicked, and how many dialogs there were before. */
async function clickRotate(
  way: Way,
  opened: Promise<Dialog>,
  opening: Opening,
): Promise<{ scriptDialog: Dialog | undefined; rotate: Locator; hidesClient: boolean }> {
  const { browser, profile, log } = way;
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
    if (!opening.clicked) Object.assign(opening, { documents: browser.documents, framesSent: browser.framesSent });
    opening.underWay = new Set(browser.underWay);
    // A script dialog keeps the click from ending.
    const clicked = guardedClick(browser.page, rotate.click({ timeout: firstTryMs })).then(
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
    // The page that it leads to may be slow.
    if (hasMoved(way, opening)) return { scriptDialog: undefined, rotate, hidesClient };
    if (performance.now() > until) throw await unclickable(rotate, '"Rotate"', profile);
    await uncover(rotate, profile);
  }
}

type Understood = Omit<OpenDialog, 'hidesClient'>;

/** @returns undefined where a prompt was cancelled, to be asked again when the page has told what it wants */
async function scriptDialogToPress(way: Way, dialog: Dialog, names: Names): Promise<Understood | undefined> {
  const { profile, account } = way;
  const text = dialog.message();
  judge(text, way, names);
  const isPrompt = dialog.type() === 'prompt';
  if (isPrompt) refuseProof([text], profile);
  if (isPrompt && names.ours.length === 0 && /name/i.test(text)) {
    await dialog.dismiss();
    names.ours = await ourNames(way);
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

/** What a dialog says that asks to confirm once more, after the first has gone. */
export async function furtherQuestion(way: Way): Promise<string | undefined> {
  const dialog = rotateDialogs(way);
  if ((await dialog.count()) !== 1) return undefined;
  const { confirming, said } = await lookAt(way, dialog);
  return confirming > 0 ? oneLine(said) : undefined;
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
  opening: Opening,
): Promise<Dialog | undefined> {
  for (const until = performance.now() + way.profile.times.dialogMs; performance.now() < until; ) {
    const outcome = await firstDialog(way, opened, opening.before);
    if (typeof outcome !== 'boolean') return outcome;
    if (outcome) return undefined;
    // A Danger Zone that closed again may have taken the dialog along; another page may be slow to show it.
    if (!isElsewhere(way, opening) && (await rotate.count()) === 0) return undefined;
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
    ready = await whenReady(way, dialog, confirm, recognised, opening.underWay, names);
  } catch (error) {
    if ((await dialog.count()) === 0) return undefined;
    throw error;
  }
  const failed = anyOf(messages.failed);
  let saidBefore = ready.said;
  const saidNow = async () => (await toldDialog(page).catch(() => null)) ?? '';

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
      const said = await saidNow();
      return failed.test(said) && !failed.test(saidBefore) ? oneLine(said) : undefined;
    },
    async news() {
      const said = await saidNow();
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
