/** What the page is asked, and what it tells. */
import type { PageSearches, Search } from '../page-search.ts';

/** A page at one moment. */
export interface PageState {
  /** What one reads on it. */
  text: string;
  /** How many parts of it are our client's. */
  clients: number;
  /** How many client ids it shows. */
  ids: number;
  /** Whether it leads to another by itself. */
  refreshes: boolean;
  /** How many fields of a login there are, where our client is not; of the codes and passwords those that the page's own code tells apart. */
  fields: Record<'username' | 'password' | 'code' | 'oneTime' | 'newPassword', number>;
  /** How many buttons beside a client id, where our client is not. */
  reveal: number;
  copy: number;
}

/** What a field shows in one part of the page. */
export interface ShownValues {
  /** How many such parts there are; with any but one there are no values. */
  parts: number;
  values: string[];
}

/** What there is to click on the way to the dialog. */
export interface DangerZone {
  parts: number;
  /** How many open it, and how many "Rotate" belong to "Rotate Secret" in there. */
  toggles: number;
  buttons: number;
}

/** A dialog at one moment. */
export interface DialogState {
  /** What one reads in it, in its slots too. Not its `textContent`: what is hidden must not be judged. */
  said: string;
  /** What else tells it from another: what its parts are called, hold, and show in shadow roots. To be compared, not read. */
  heard: string;
  /** What its buttons say: in the text, those side by side run together, "CancelRotate". */
  buttons: string[];
  /** Texts that are set apart (code, bold). */
  emphasised: string[];
  /** How many fields there are to type into, and boxes to tick. */
  fields: number;
  boxes: number;
  /** Whether it says that it is still being filled. */
  busy: boolean;
  /** What is chosen where there is a choice, in a list or by radio buttons. */
  chosen: string[];
  /** How many boxes are ticked that do not only say that one has read and understood. */
  otherTicks: number;
  /** How many buttons confirm. */
  confirming: number;
  /** Where the middle of the one that does is, in the window; undefined where there is not one. */
  place: { x: number; y: number } | undefined;
  /** Whether a click there would meet that button, and it is enabled. */
  hit: boolean;
  enabled: boolean;
  /** Whether it is still coming in: not seen yet, or animated, but for what never ends. */
  comesIn: boolean;
}

/** A search, with the labels as the source of one pattern each. */
export type Query = Record<
  | 'find'
  | 'label'
  | 'otherLabels'
  | 'name'
  | 'zone'
  | 'section'
  | 'says'
  | 'id'
  | 'mask'
  | 'kind'
  | 'decline'
  | 'other'
  | 'submit'
  | 'otherForms'
  | 'box'
  | 'fields'
  | 'groups'
  | 'mixed'
  | 'told',
  string
> &
  Record<'minLength' | 'maxValueLength' | 'index', number> & {
    hiddenToo?: boolean;
    besideToo?: boolean;
    css?: string;
    confirm?: string;
    zoneCss?: string;
    buttonCss?: string;
    part?: Query | undefined;
    page?: Record<keyof PageSearches, Query>;
  };

export type Finders = Record<Search['find'], (query: Query, root: Element) => Element[]>;

/** What tells facts, in place of finding elements. */
export type Tellers = Record<string, (query: Query, root: Element) => unknown>;
