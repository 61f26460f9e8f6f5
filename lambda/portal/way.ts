import type { PortalAccount } from '../rotation/ports.ts';
import type { PortalBrowser } from './browser.ts';
import type { Origins } from './origins.ts';
import type { PortalProfile } from './profile.ts';

/** What everything that is done in the portal needs to know. */
export interface Way {
  browser: PortalBrowser;
  account: PortalAccount;
  profile: PortalProfile;
  origins: Origins;
  /** How often the password may still be typed. */
  loginsLeft: number;
  /** Where Developer Tools was found, if it was: the menu may know another address than we do. */
  foundAt?: string | undefined;
  /** Its URL does not lead there. */
  byMenu?: boolean;
  /** Which "Copy" button of how many has given our client id, where the page does not show it; for that page only. */
  copied?: { on: string; index: number; of: number } | undefined;
  /** Where the page is that has shown our client id and no other. */
  aloneOn?: string | undefined;
  /** What the page was told, or has shown, that is nobody else's business. */
  told: Set<string>;
  log(fact: string, detail?: Record<string, unknown>): void;
}

export const pathnameOf = ({ browser }: Way): string | undefined => URL.parse(browser.page.url())?.pathname;

/** The page as it was loaded, whatever its script has drawn since. */
export const pageOf = (way: Way): string => `${way.browser.documents} ${pathnameOf(way)}`;
