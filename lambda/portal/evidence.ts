import type { PortalBrowser } from './browser.ts';
import { outlineOf } from './outline.ts';
import { searching } from './page-search.ts';

/** Where evidence of a failure is kept. */
export interface EvidenceStore {
  /** @returns where it can be found, for an error message */
  write(name: string, body: Uint8Array | string, contentType: string): Promise<string>;
}

export interface Evidence {
  url: string;
  outline: string;
  screenshot: Uint8Array | undefined;
}

/** Texts in fields are not even drawn; nothing is drawn outside its box, where a mask would not cover it. */
const drawLess =
  'input,textarea,select,code,pre,output{color:transparent!important;-webkit-text-fill-color:transparent!important;text-shadow:none!important}' +
  ':not(:has(*)){overflow:clip!important}*,*::before,*::after{background-image:none!important}';

/**
 * What the page looked like, without anything that may be a secret: fields, long and mixed texts, frames and pictures are painted
 * over, and the whole page is blurred where it shows what cannot be read.
 */
export async function gatherEvidence(browser: PortalBrowser): Promise<Evidence> {
  const { page } = browser;
  const url = URL.parse(page.url());
  const outline = await outlineOf(page).catch(() => 'not readable');
  const unreadable = await searching(page, { find: 'unreadable' })
    .count()
    .catch(() => 1);
  const screenshot = await page
    .screenshot({
      timeout: 3_000,
      animations: 'disabled',
      mask: [searching(page, { find: 'sensitive' }), page.locator('iframe,canvas,img,video,object,embed')],
      maskColor: '#000000',
      style: drawLess + (unreadable > 0 ? 'html{filter:blur(14px)!important}' : ''),
    })
    .catch(() => undefined);
  return { url: url ? `${url.origin}${url.pathname}` : '', outline, screenshot };
}
