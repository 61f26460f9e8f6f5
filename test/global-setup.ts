import { unpackChromium } from '../local/temporary-directory.ts';

/** Once for all test files, which run at the same time. */
export default async function setup(): Promise<void> {
  await unpackChromium();
}
