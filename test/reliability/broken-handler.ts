import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A copy of the function with one mistake in it; a test that does not notice it proves nothing. */
export async function brokenHandler(
  file: string,
  right: string,
  wrong: string,
): Promise<{ handler: string; remove(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'broken-handler-'));
  for (const name of ['lambda', 'consumer', 'package.json']) {
    await cp(join(root, name), join(directory, name), {
      recursive: true,
      filter: (source) => !/node_modules/.test(source.slice(root.length)),
    });
  }
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  const path = join(directory, file);
  const source = await readFile(path, 'utf8');
  if (source.split(right).length !== 2) throw new Error(`${file} does not have once: ${right}`);
  await writeFile(
    path,
    source.replace(right, () => wrong),
  );
  return {
    handler: join(directory, 'lambda', 'handler.ts'),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
