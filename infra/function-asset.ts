import { chmodSync, cpSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { type BuildOptions, buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = join(root, 'node_modules');

/** The `Handler` property of a function made from the asset. */
export const assetHandler = 'lambda/handler.handler';

/** @see AWS Lambda developer guide, "Lambda quotas": deployment package, unzipped, layers included. */
const maxUnzippedBytes = 262_144_000;

/** CommonJS packages inside an ES module expect these three. */
const commonJsGlobals = `
import { createRequire as $createRequire } from 'node:module';
const require = $createRequire(import.meta.url);
const __filename = import.meta.filename, __dirname = import.meta.dirname;
`.trim();

/**
 * The function's code, built at synth, on this machine, without Docker. The asset's hash is that of what was built.
 */
export function functionCode(): lambda.Code {
  return lambda.Code.fromAsset(join(root, 'lambda'), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      local: {
        tryBundle(outputDir) {
          buildFunctionAsset(outputDir);
          return true;
        },
      },
      // Never pulled: the local bundling above either succeeds or throws.
      image: DockerImage.fromRegistry('unused'),
    },
  });
}

/**
 * Writes the function's asset into `outputDir`, an existing directory. Nothing in it depends on when or where it is
 * built, so that the same sources and packages give the same hash.
 *
 *     lambda/                             our code, the AWS SDK and the small packages; what is loaded late in chunks
 *     node_modules/@sparticuz/chromium/   its archives in bin/ and its code, with what that needs bundled in
 *     node_modules/playwright-core/       as it is: it reads files of its own package by path
 *
 * `playwright-aws-lambda`'s own Chromium 83 stays out.
 *
 * @param entryPoint the module to bundle, relative to the repository's root.
 * @throws where the entry cannot be bundled, or the asset is larger than Lambda takes.
 */
export function buildFunctionAsset(outputDir: string, entryPoint = 'lambda/handler.ts'): void {
  const modules = join(outputDir, 'node_modules');
  bundle({
    entryPoints: { handler: entryPoint },
    outdir: join(outputDir, 'lambda'),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    external: ['@sparticuz/chromium', 'playwright-core'],
  });

  const chromium = join(modules, '@sparticuz', 'chromium');
  bundle({ entryPoints: ['@sparticuz/chromium'], outfile: join(chromium, 'build', 'index.js') });
  for (const name of ['package.json', 'LICENSE', 'bin']) {
    cpSync(join(packages, '@sparticuz', 'chromium', name), join(chromium, name), { recursive: true });
  }

  cpSync(join(packages, 'playwright-core'), join(modules, 'playwright-core'), { recursive: true });

  // Lambda's user is not the one who builds, whose umask may keep everybody else out.
  for (const { path } of entriesOf(outputDir)) chmodSync(path, 0o755);
  assertFitsLambda(outputDir);
}

function bundle(options: BuildOptions): void {
  buildSync({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: commonJsGlobals },
    logLevel: 'warning',
    ...options,
  });
}

/**
 * @param limitBytes what all files of the asset may have together.
 * @throws where they have more, with the largest of them named.
 */
export function assertFitsLambda(assetDir: string, limitBytes = maxUnzippedBytes): void {
  const files = entriesOf(assetDir)
    .filter(({ isFile }) => isFile)
    .map(({ path }) => ({ path: relative(assetDir, path), sizeBytes: statSync(path).size }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (totalBytes <= limitBytes) return;
  const bytes = (count: number) => count.toLocaleString('en-US');
  const largest = files.slice(0, 10).map((file) => `  ${bytes(file.sizeBytes).padStart(11)}  ${file.path}`);
  throw new Error(
    [
      `The function's asset has ${bytes(totalBytes)} bytes unzipped, Lambda takes ${bytes(limitBytes)}. Largest files:`,
      ...largest,
    ].join('\n'),
  );
}

function entriesOf(dir: string): { path: string; isFile: boolean }[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name),
    isFile: entry.isFile(),
  }));
}
