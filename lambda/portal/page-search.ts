/** Finding and reading by meaning: what `pageScript` does in the page, with the labels and locators of the profile. */
import { type Locator, type Page, selectors } from 'playwright-core';
import { isTimeout } from './failures.ts';
import { pageScript } from './page/page-script.ts';
import type { DangerZone, DialogState, PageState, Query, ShownValues } from './page/query.ts';
import { anyOf } from './profile.ts';

type Labels = readonly string[];

interface ValueSearch {
  find: 'value';
  label: Labels;
  otherLabels: Labels;
  /** In place of the labels, where the profile has it. */
  css?: string | undefined;
  minLength: number;
}

/** A field to type into, that matches the CSS `kind`, or has such a label. */
interface FieldSearch {
  kind: string;
  label: Labels;
  otherLabels: Labels;
  /** Whether a text beside it names it too. */
  besideToo: boolean;
}

/** What to find below the element that the search starts from. */
export type Search =
  /** The part of the page that belongs to the client with this id: all of it, unless it shows other clients too. */
  | (Omit<ValueSearch, 'find'> & { find: 'client'; id: string; hiddenToo: boolean })
  /** What holds the value of a field with such a label, or matches the CSS: a text without spaces, or any where `minLength` is 0. */
  | ValueSearch
  /** Buttons with such a name in the field with such a label. */
  | { find: 'field-button'; label: Labels; otherLabels: Labels; name: Labels }
  /** For the button of these that has this index the part of the page that has no other of them. */
  | { find: 'part-of-button'; label: Labels; otherLabels: Labels; name: Labels; index: number; hiddenToo: boolean }
  /** What opens the Danger Zone, unless it says that it is open. */
  | { find: 'zone'; zone: Labels }
  /**
   * Buttons with such a name that belong to such a section of the Danger Zone, and to nothing that is headed `otherLabels`; what heads
   * the field with such a label too is a page's title.
   */
  | { find: 'rotate'; zone: Labels; section: Labels; name: Labels; otherLabels: Labels; label: Labels }
  /** Dialogs, with or without a role, that have such a button or say such a thing. */
  | { find: 'dialog'; name: Labels; says: Labels; zone: Labels }
  /** Fields of a login that people type into, of forms that could take one the likeliest: not a sign-up, a newsletter, a trap for robots. */
  | (FieldSearch & {
      find: 'login-field';
      /** Fields of a login by their kind, whichever of them. */
      fields: string;
      /** What the button of a login is called, and what that of another form. */
      submit: Labels;
      otherForms: Labels;
    })
  /** Fields for a one-time code, in whatever form; those that match the CSS `other` are none. */
  | (FieldSearch & { find: 'code-field'; other: string })
  /** Clickable things with such a name, whatever their role; of links to the same address the first. */
  | { find: 'clickable'; name: Labels }
  /** The same, for what answers a page or dialog that says such a thing, and nothing of the others unless the answer only declines. */
  | { find: 'answer'; name: Labels; says: Labels; otherLabels: Labels; decline: Labels }
  /** The same, for what leads to another page: where none is named so, also a card or a row that has such a title. */
  | { find: 'entry'; name: Labels }
  /** What matches this CSS in there as a reader sees it: in shadow roots, and what was put into their slots from outside too. */
  | { find: 'matching'; css: string }
  /** The outermost thing that lies over this element. */
  | { find: 'covering' }
  /** Boxes with such a name that are not ticked, those that a page hides behind a drawing of its own too. */
  | { find: 'box'; name: Labels }
  /** What may hold a secret, a password or an e-mail address. */
  | { find: 'sensitive'; groups: string; mixed: string; told: string }
  /** What shows more than can be read, so that it cannot be told whether it is sensitive. */
  | { find: 'unreadable'; groups: string; mixed: string; told: string };

/** No client secret or client id is longer; a page could show anything. */
export const maxValueLength = 4_096;

/** Dots, bullets, asterisks, or one character over and over: what a page shows in place of a secret. */
export const mask =
  /^(.)\1*$|^.{0,6}(.)\2{5,}.{0,6}$|(.)\3{7,}|[•●∙⬤◦■█∗✱＊]{3}|[.*·]{3}|…|^\W*([Rr]edacted|REDACTED|[Hh]idden|HIDDEN)\W*$/u;

await selectors.register('portal', { content: pageScript }, { contentScript: true });

/** A locator for a search. Like every locator it is evaluated anew at each use. */
export function searching(from: Page | Locator, search: Search): Locator {
  const start = 'goto' in from ? from.locator('body') : from;
  return start.locator(selector(queryFor(search)));
}

function queryFor(search: object): Query {
  const entries = Object.entries(search).map(([key, value]) => [
    key,
    Array.isArray(value) ? anyOf(value).source : value,
  ]);
  return { ...Object.fromEntries(entries), maxValueLength, mask: mask.source };
}

const selector = (query: Query) => `portal=${encodeURIComponent(JSON.stringify(query))}`;

/** What a page is looked at for, all at one moment: `part` is our client's, `reveal` and `copy` the buttons beside a client id. */
export type PageSearches = Record<
  'part' | 'id' | 'secret' | 'username' | 'password' | 'code' | 'reveal' | 'copy',
  Search
>;

/** @returns null where there is no body yet @throws a timeout */
export function pageState(page: Page, searches: PageSearches, timeout: number): Promise<PageState | null> {
  const queries = Object.entries(searches).map(([name, search]) => [name, queryFor(search)]);
  return told(
    page.locator('html'),
    { ...queryFor({ find: 'page-state' }), page: Object.fromEntries(queries) },
    timeout,
  );
}

/** What a field shows in the part of the page that a search finds; without one, anywhere. */
export const shownValues = (page: Page, part: Search | undefined, value: ValueSearch): Promise<ShownValues> =>
  told(page.locator('html'), { ...queryFor(value), find: 'shown-values', part: part && queryFor(part) });

/** What there is to click on the way to the dialog in the parts of the page that a search finds; without one, anywhere. */
export const dangerZone = (
  page: Page,
  part: Search | undefined,
  search: {
    zone: Labels;
    section: Labels;
    name: Labels;
    otherLabels: Labels;
    label: Labels;
    zoneCss: string | undefined;
    buttonCss: string | undefined;
  },
): Promise<DangerZone> =>
  told(page.locator('html'), { ...queryFor(search), find: 'danger-zone', part: part && queryFor(part) });

/** @throws a timeout, where there is no such dialog; a page that is busy is waited for */
export async function dialogState(
  dialog: Locator,
  search: { name: Labels; confirm: string | undefined; box: Labels; fields: string },
): Promise<DialogState> {
  const query = { ...queryFor(search), find: 'dialog-state' };
  try {
    return await told(dialog, query, 1_000);
  } catch (error) {
    if (!isTimeout(error) || (await dialog.count()) === 0) throw error;
    return told(dialog, query, 5_000);
  }
}

/** What the dialog that was told of last says now; null where it has gone. */
export const toldDialog = (page: Page): Promise<string | null> =>
  told(page.locator('html'), queryFor({ find: 'told-dialog' }));

/** @param timeout in ms; without it as long as it takes */
async function told<T>(from: Locator, query: Query, timeout = 0): Promise<T> {
  return JSON.parse((await from.locator(selector(query)).textContent({ timeout })) ?? '');
}
