import type { CDPSession, Page } from 'playwright-core';
import { inGroups, mixed } from './outline.ts';
import { searching } from './page-search.ts';

/** Where evidence of a failure is kept. */
export interface EvidenceStore {
  /** @returns where it can be found, for an error message */
  write(name: string, body: Uint8Array | string, contentType: string): Promise<string>;
}

/** More specific than what a page says of itself, but for what stands in an element with `!important`. */
const all = ':not(#a#b#c)';

/** Texts in fields are not even drawn; nothing is drawn twice, or outside its box, where a mask would not cover it; the mask stays. */
const drawLess =
  `:is(input,textarea,select,code,pre,output)${all}{color:transparent!important;-webkit-text-fill-color:transparent!important}` +
  `:not(:has(*))${all}{overflow:clip!important}` +
  [all, `${all}::before`, `${all}::after`, `${all}::marker`, `${all}::backdrop`].join() +
  '{content:normal!important;background-image:none!important;border-image:none!important;list-style-image:none!important;mask-image:none!important;text-shadow:none!important;filter:none!important}' +
  `x-pw-glass${all}{display:block!important;visibility:visible!important;opacity:1!important}`;

/** So small that no text can be read, whatever draws it. */
const doubtfulScale = 1 / 40;

/**
 * A picture (PNG) of the page without anything that may be a secret: fields, long and mixed texts, frames and pictures are painted
 * over, and the whole page is nothing but a blur where it shows what cannot be read.
 *
 * @param isSecret whether all of the page is one, such as the code of a second factor that is set up
 */
export async function maskedScreenshot(
  page: Page,
  told: Iterable<string>,
  isSecret: boolean,
): Promise<Uint8Array | undefined> {
  let session: CDPSession | undefined;
  try {
    session = await page.context().newCDPSession(page);
    // What its scripts move or draw anew meanwhile would not be where the mask is.
    await session.send('Emulation.setScriptExecutionDisabled', { value: true });
    return await (isSecret ? blurred(page, session) : masked(page, session, told));
  } catch {
    return undefined;
  } finally {
    await session?.send('Emulation.setScriptExecutionDisabled', { value: false }).catch(() => undefined);
    await session?.detach().catch(() => undefined);
  }
}

async function masked(page: Page, session: CDPSession, told: Iterable<string>): Promise<Uint8Array> {
  const secret = { groups: inGroups.source, mixed: mixed.source, told: JSON.stringify([...told]) };
  const unreadable = await Promise.all([
    searching(page, { find: 'unreadable', ...secret }).count(),
    closedRoots(session),
  ])
    .then(([elements, roots]) => elements + roots)
    .catch(() => 1);
  if (unreadable > 0) return blurred(page, session);
  return page.screenshot({
    timeout: 3_000,
    animations: 'disabled',
    mask: [
      searching(page, { find: 'sensitive', ...secret }),
      page.locator('iframe,frame,canvas,img,video,object,embed,image'),
    ],
    maskColor: '#000000',
    style: drawLess,
  });
}

/** How many shadow roots there are that no search gets into. */
async function closedRoots(session: CDPSession): Promise<number> {
  const { root } = await session.send('DOM.getDocument', { depth: -1, pierce: true });
  return JSON.stringify(root).split('"shadowRootType":"closed"').length - 1;
}

/** Not by a filter: what is in the top layer, such as an open dialog, has none of its page's. */
async function blurred(page: Page, session: CDPSession): Promise<Uint8Array> {
  const clip = { x: 0, y: 0, ...(page.viewportSize() ?? { width: 1280, height: 1000 }), scale: doubtfulScale };
  const { data } = await session.send('Page.captureScreenshot', { format: 'png', clip });
  return Buffer.from(data, 'base64');
}
