import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As Lambda sets it; `@sparticuz/chromium` unpacks the system libraries of Chromium, which a bare machine lacks too, only then. */
export const executionEnvironment = 'AWS_Lambda_nodejs24.x';

const cache = fileURLToPath(new URL('../node_modules/.cache/rotate-client-secret/', import.meta.url));

/**
 * A function's `/tmp`, with Chromium in it as a former invocation in the same Lambda environment would have left it. Unpacked once into
 * node_modules, so that removing the directory leaves no file behind.
 */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const unpacked = await unpackChromium();
  const path = await mkdtemp(join(tmpdir(), 'rotate-client-secret-'));
  for (const name of await readdir(unpacked)) await symlink(join(unpacked, name), join(path, name));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** @returns the directory with the executable, its libraries and fonts; made under another name, so that it is there whole or not at all */
async function unpackChromium(): Promise<string> {
  const { version } = JSON.parse(
    await readFile(new URL('../node_modules/@sparticuz/chromium/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const unpacked = join(cache, `chromium-${version}`);
  if (existsSync(unpacked)) return unpacked;
  await mkdir(cache, { recursive: true });
  const partial = await mkdtemp(`${unpacked}-`);
  try {
    const script =
      "const { default: chromium } = await import('@sparticuz/chromium'); await chromium.executablePath();";
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { TMPDIR: partial, AWS_EXECUTION_ENV: executionEnvironment },
      stdio: 'inherit',
    });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error('Chromium could not be unpacked');
    // Its font configuration names the directory that it has in Lambda.
    const fonts = join(partial, 'fonts', 'fonts.conf');
    await writeFile(fonts, (await readFile(fonts, 'utf8')).replaceAll('/tmp/fonts', join(unpacked, 'fonts')));
    await rename(partial, unpacked).catch((error: unknown) => {
      if (!existsSync(unpacked)) throw error;
    });
    return unpacked;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
