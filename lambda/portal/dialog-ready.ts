import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Request } from 'playwright-core';
import { clientIds } from './client.ts';
import { ourNames } from './danger-zone.ts';
import { judge, type Names, notUnderstood, proofAsked, refuseProof, wordsToType } from './dialog-words.ts';
import { isTimeout, refusal, trouble } from './failures.ts';
import { buttonsOn } from './outline.ts';
import type { DialogState } from './page/query.ts';
import { appears, firstTryMs, guardedClick, lookFor, only, onlyNow, uncover, whileReplaced } from './page-actions.ts';
import { dialogState, searching } from './page-search.ts';
import { anyOf } from './profile.ts';
import type { Way } from './way.ts';

/** Fields that people type into. */
const typeable =
  'input:not([type=hidden],[type=checkbox],[type=radio],[type=button],[type=submit],[readonly]),textarea:not([readonly])';

async function typeWord(way: Way, dialog: Locator, confirm: Locator, seen: DialogState): Promise<void> {
  const { page } = way.browser;
  const { profile, account } = way;
  const fields = searching(dialog, { find: 'matching', css: profile.locators.wordField ?? typeable });
  refuseProof([seen.said], profile);
  const field = await onlyNow(fields, 'field in the rotate dialog', page);
  // One that is rendered anew may be gone for a moment.
  if (!field) return;
  const attribute = (name: string) => field.getAttribute(name);
  const [type, autocomplete, ...hints] = await Promise.all(
    ['type', 'autocomplete', 'aria-label', 'placeholder'].map(attribute),
  );
  // What a field in a shadow root is called is heard only.
  const called = /"((?:[^"\\]|\\.)*)"/.exec(await field.ariaSnapshot({ timeout: firstTryMs }))?.[1] ?? '';
  if (type === 'password' || /current-password|one-time-code/.test(autocomplete ?? '')) throw proofAsked();
  refuseProof([called, ...hints.filter((hint) => hint !== null)], profile);
  // Buttons side by side run on from what stands before them.
  const buttons = new RegExp(`(${seen.buttons.filter(Boolean).map(RegExp.escape).join('|') || '$'}|\\s)+$`);
  const text = [seen.said.replace(buttons, ''), ...hints].join(' \n ');
  const names = /name/i.test(text) ? await ourNames(way) : [];
  const [, placeholder] = hints;
  const wordsIn = (text: string) =>
    wordsToType(text, seen.emphasised, { id: account.clientId, names }, profile, placeholder).slice(0, 4);
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

/** What is chosen in a dialog is for a person to see, unless it is our client. */
async function refuseChoice(way: Way, { chosen, otherTicks }: DialogState): Promise<void> {
  if (chosen.length === 0 && otherTicks === 0) return;
  const ours = [way.account.clientId, ...(await ourNames(way))];
  if (otherTicks === 0 && chosen.every((choice) => ours.some((name) => choice.includes(name)))) return;
  throw refusal(
    'portal-changed',
    `the rotate dialog has ${otherTicks > 0 ? 'a box that was ticked already' : 'a choice to make'}, and nothing here knows what that does`,
    'see by hand what the portal wants to know there; a box that does no harm may be named in labels.acknowledge of the portal profile; a list needs a change of the driver',
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
export type Ready = DialogState & { place: { x: number; y: number } };

export const isReady = (seen: DialogState): seen is Ready =>
  seen.place !== undefined && seen.hit && seen.enabled && seen.boxes === 0;

export const isStill = (one: Ready, other: Ready) => one.place.x === other.place.x && one.place.y === other.place.y;

export const saysTheSame = (one: DialogState, other: DialogState) =>
  one.said === other.said && one.heard === other.heard;

export type Look = DialogState & { atMs: number };

export async function lookAt({ profile: { labels, locators } }: Way, dialog: Locator): Promise<Look> {
  const state = await dialogState(dialog, {
    name: labels.confirm,
    confirm: locators.confirm,
    box: labels.acknowledge,
    fields: locators.wordField ?? typeable,
  });
  return { ...state, atMs: performance.now() };
}

/** What a dialog says, to those who see it and to those who hear it: the names of its fields and boxes, what is in shadow roots. */
export async function wordsOf(dialog: Locator, { said, buttons }: DialogState): Promise<string> {
  const heard = await dialog.ariaSnapshot({ timeout: firstTryMs });
  return [said, ...buttons, heard].join('\n').slice(0, 60_000);
}

/**
 * Follows the dialog's instructions until the press is nothing but the click: the button is one, enabled, at rest and not covered.
 * An app that renders the dialog anew may lose what was ticked and typed.
 *
 * @returns the dialog as it is then, what it says judged
 */
export async function whenReady(
  way: Way,
  dialog: Locator,
  confirm: Locator,
  recognised: () => void,
  underWay: ReadonlySet<Request>,
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
    (performance.now() < beganMs + settleMs &&
      (anyOf(profile.messages.loading).test(said) ||
        [...browser.underWay].some((request) => isLoad(request) && !underWay.has(request))));
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
          if (seen.boxes + seen.fields > 0) filling ??= browser.holdRequests(true);
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
      if (filling?.isEmpty === false)
        throw trouble(
          'portal-changed',
          `what was ticked or typed in the rotate dialog made the page send ${filling.drop().join(', ')}; it was held back`,
          'none if the retry succeeds; otherwise see by hand whether this portal rotates before the button is clicked; a request that only reads belongs into harmlessRequests of the portal profile',
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
