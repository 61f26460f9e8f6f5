import type { Page } from 'playwright-core';
import { anyWriting, inGroups, mixed } from './outline.ts';
import { searching } from './page-search.ts';

/** Where evidence of a failure is kept. */
export interface EvidenceStore {
  /** @returns where it can be found, for an error message */
  write(name: string, body: Uint8Array | string, contentType: string): Promise<string>;
}

/** Texts in fields are not even drawn; nothing is drawn outside its box, where a mask would not cover it. */
const drawLess =
  'input,textarea,select,code,pre,output{color:transparent!important;-webkit-text-fill-color:transparent!important;text-shadow:none!important}' +
  ':not(:has(*)){overflow:clip!important}*,*::before,*::after,*::marker{content:normal!important;background-image:none!important;border-image:none!important;list-style-image:none!important;mask-image:none!important}';

/** So small that no text can be read, whatever draws it. */
const doubtfulScale = 1 / 40;

/**
 * A picture (PNG) of the page without anything that may be a secret: fields, long and mixed texts, frames and pictures are painted
 * over, and the whole page is nothing but a blur where it shows what cannot be read.
 */
export async function maskedScreenshot(page: Page, told: Iterable<string>): Promise<Uint8Array | undefined> {
  const secret = { groups: inGroups.source, mixed: mixed.source, told: anyWriting(told)?.source ?? '^$' };
  const unreadable = await Promise.all([searching(page, { find: 'unreadable', ...secret }).count(), closedRoots(page)])
    .then(([elements, roots]) => elements + roots)
    .catch(() => 1);
  if (unreadable > 0) return blurred(page).catch(() => undefined);
  return page
    .screenshot({
      timeout: 3_000,
      animations: 'disabled',
      mask: [
        searching(page, { find: 'sensitive', ...secret }),
        page.locator('iframe,frame,canvas,img,video,object,embed,image'),
      ],
      maskColor: '#000000',
      style: drawLess,
    })
    .catch(() => undefined);
}

/** How many shadow roots there are that no search gets into. */
async function closedRoots(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const { root } = await session.send('DOM.getDocument', { depth: -1, pierce: true });
  await session.detach();
  return JSON.stringify(root).split('"shadowRootType":"closed"').length - 1;
}

/** Not by a filter: what is in the top layer, such as an open dialog, has none of its page's. */
async function blurred(page: Page): Promise<Uint8Array> {
  const session = await page.context().newCDPSession(page);
  const clip = { x: 0, y: 0, ...(page.viewportSize() ?? { width: 1280, height: 1000 }), scale: doubtfulScale };
  const { data } = await session.send('Page.captureScreenshot', { format: 'png', clip });
  await session.detach();
  return Buffer.from(data, 'base64');
}
