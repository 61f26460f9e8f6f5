import { temporaryDirectory } from '../local/temporary-directory.ts';

/** A temporary directory for the whole run, with Chromium unpacked in it once: test files run at the same time. */
export default async function setup(): Promise<() => Promise<void>> {
  const { path, remove } = await temporaryDirectory();
  process.env.TMPDIR = path;
  return remove;
}
