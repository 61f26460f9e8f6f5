import { PortalBrowser } from '../../lambda/portal/browser.ts';
import { originsFor } from '../../lambda/portal/origins.ts';
import { defaultPortalProfile } from '../../lambda/portal/profile.ts';

/** An entry for the asset that only starts the function's browser and looks at a page of its own. */
export async function handler(): Promise<{ outline: string; screenshotBytes: number }> {
  const browser = await PortalBrowser.start({
    profile: defaultPortalProfile,
    origins: originsFor('http://localhost/', [], []),
    chromiumPath: undefined,
    singleProcessFallback: false,
  });
  try {
    await browser.page.setContent('<button>Rotate</button>');
    console.log('first page');
    const screenshot = await browser.page.screenshot();
    return { outline: await browser.page.locator('body').ariaSnapshot(), screenshotBytes: screenshot.length };
  } finally {
    await browser.close();
  }
}
