import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
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

/**
 * What the parts had when this was last looked at (@sparticuz/chromium 153, playwright-core 1.65): where the asset no
 * longer fits, it tells which of them grew.
 */
const knownBytes: Record<string, number> = {
  'chromium/chromium': 209_022_176,
  'chromium/al2023': 3_518_460,
  'chromium/fonts': 448_307,
  'node_modules/playwright-core': 13_971_424,
  lambda: 1_299_690,
};

/** Chromium itself, its libraries and its fonts. SwiftShader stays away: nothing here draws in 3D, screenshots do without. */
const archives = ['chromium.br', 'al2023.tar.br', 'fonts.tar.br'];

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
 *     lambda/                         our code, the AWS SDK and the small packages; what is loaded late in chunks
 *     chromium/                       the executable, its libraries and fonts: run where they are, nothing is unpacked
 *     node_modules/playwright-core/   as it is: it reads files of its own package by path
 *     THIRD-PARTY-LICENSES.txt        of every package in the asset
 *
 * One thing that Chromium needs is Amazon Linux's own and not in here: libsqlite3, without which it dies at the first
 * https page. `playwright-aws-lambda`'s Chromium 83 stays out.
 *
 * @throws where the handler cannot be bundled, Chromium not be unpacked, or the asset is larger than Lambda takes.
 */
export function buildFunctionAsset(outputDir: string): void {
  const inputs = bundleHandler('lambda/handler.ts', join(outputDir, 'lambda'));
  const copy = (from: string, to: string) =>
    cpSync(from, join(outputDir, to), { recursive: true, mode: constants.COPYFILE_FICLONE });
  copy(unpackedChromium(), 'chromium');
  copy(join(packages, 'playwright-core'), 'node_modules/playwright-core');
  const bundled = inputs.flatMap((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[0] ?? []);
  const copied = ['@sparticuz/chromium', 'playwright-core'].map((name) => `node_modules/${name}`);
  writeFileSync(join(outputDir, 'THIRD-PARTY-LICENSES.txt'), licencesOf([...new Set([...bundled, ...copied])]));

  // Lambda's user is not the one who builds, whose umask may keep everybody else out.
  for (const { path } of entriesOf(outputDir)) chmodSync(path, 0o755);
  assertFitsLambda(outputDir);
}

/** Loaded late, if at all. Bundled apart, since esbuild makes what starts of every module that it could reach with them. */
const lateClients = ['client-s3', 'client-sns', 'client-ssm'];

/** Where the SDK finds credentials when the environment has none, as it always has in Lambda. */
const credentialProviders = [
  ...['http', 'ini', 'login', 'process', 'sso', 'web-identity'].map((name) => `@aws-sdk/credential-provider-${name}`),
  '@smithy/credential-provider-imds',
];

/**
 * Writes `handler.mjs`, its chunks, and `aws-sdk/`.
 *
 * @param entryPoint the module that exports the handler, relative to the repository's root.
 * @returns the paths of all that was bundled, relative to the repository's root
 */
export function bundleHandler(entryPoint: string, outdir: string): string[] {
  const options = {
    absWorkingDir: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // A third of what there is to parse before the first event. Without `keepNames`: its helper is not in the page that gets the
    // text of lambda/portal/page/.
    minify: true,
    external: ['@sparticuz/chromium', 'playwright-core', ...credentialProviders],
    alias: { 'node:process': './infra/process.ts' },
    banner: { js: commonJsGlobals },
    logLevel: 'warning',
    metafile: true,
  } satisfies BuildOptions;
  const sdk = buildSync({
    ...options,
    entryPoints: Object.fromEntries(lateClients.map((name) => [name, `@aws-sdk/${name}`])),
    outdir: join(outdir, 'aws-sdk'),
  });
  const handler = buildSync({
    ...options,
    entryPoints: { handler: entryPoint },
    outdir,
    alias: {
      ...options.alias,
      ...Object.fromEntries(lateClients.map((name) => [`@aws-sdk/${name}`, `./aws-sdk/${name}.mjs`])),
    },
    external: [...options.external, './aws-sdk/*'],
  });
  return [sdk, handler].flatMap(({ metafile }) => Object.keys(metafile.inputs));
}

/**
 * Brotli takes its seconds once for each version of the package. Made under another name, so that it is there whole or
 * not at all.
 *
 * @returns the directory with what is in the package's archives
 */
function unpackedChromium(): string {
  const { version } = packageJson(join(packages, '@sparticuz', 'chromium'));
  const unpacked = join(packages, '.cache', 'rotate-client-secret', `asset-chromium-${version}`);
  if (existsSync(unpacked)) return unpacked;
  mkdirSync(join(unpacked, '..'), { recursive: true });
  const partial = mkdtempSync(`${unpacked}-`);
  try {
    const bin = join(packages, '@sparticuz', 'chromium', 'bin');
    const script = `
      const { inflate } = await import('@sparticuz/chromium');
      await Promise.all(${JSON.stringify(archives.map((name) => join(bin, name)))}.map(inflate));`;
    // The package unpacks to where this process has its temporary files, and nowhere else.
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, env: { TMPDIR: partial } });
    try {
      renameSync(partial, unpacked);
    } catch (error) {
      // Another synth was faster.
      if (!existsSync(unpacked)) throw error;
    }
    return unpacked;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** The licence texts of packages, by their directories; the same text once, after all that have it. */
function licencesOf(directories: string[]): string {
  const headings = new Map<string, string[]>();
  for (const directory of directories.map((path) => join(root, path)).sort()) {
    const { name, version, license } = packageJson(directory);
    const texts = readdirSync(directory)
      .filter((file) => /^(licen[cs]e|notice|thirdpartynotices)/i.test(file))
      .sort()
      .map((file) => readFileSync(join(directory, file), 'utf8').trim());
    const text = texts.join('\n\n') || 'The package brings no text of its licence.';
    headings.set(text, [...(headings.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const chromium = [
    'In chromium/, from @sparticuz/chromium:',
    'Chromium (BSD-3-Clause; of its parts: chrome://credits and https://chromium.googlesource.com/chromium/src)',
    'NSS, NSPR (MPL-2.0), Expat (MIT), Open Sans (OFL-1.1)',
  ].join('\n');
  const sections = [...headings].map(([text, heading]) => [...heading, '', text].join('\n'));
  return `${[chromium, ...sections].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function packageJson(directory: string): { name: string; version: string; license: string } {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/**
 * @param limitBytes what all files of the asset may have together.
 * @param known what each part had before, by its path; a part not among them is new.
 * @throws where the files have more, with every part, what it grew by, and the largest files.
 */
export function assertFitsLambda(assetDir: string, limitBytes = maxUnzippedBytes, known = knownBytes): void {
  const files = entriesOf(assetDir)
    .filter(({ isFile }) => isFile)
    .map(({ path }) => ({ path: relative(assetDir, path).split(sep).join('/'), sizeBytes: statSync(path).size }))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (totalBytes <= limitBytes) return;
  const grown = new Map(Object.entries(known).map(([part, bytes]) => [part, -bytes]));
  for (const { path, sizeBytes } of files) {
    const part = Object.keys(known).find((name) => path === name || path.startsWith(`${name}/`)) ?? path;
    grown.set(part, (grown.get(part) ?? 0) + sizeBytes);
  }
  const bytes = (count: number) => count.toLocaleString('en-US');
  const line = (count: string, path: string) => `  ${count.padStart(12)}  ${path}`;
  throw new Error(
    [
      `The function's asset has ${bytes(totalBytes)} bytes unzipped, Lambda takes ${bytes(limitBytes)}. What grew:`,
      ...[...grown]
        .filter(([, grownBytes]) => grownBytes > 0)
        .sort(([, a], [, b]) => b - a)
        .slice(0, 10)
        .map(([part, grownBytes]) => line(`+${bytes(grownBytes)}`, part)),
      'Largest files:',
      ...files.slice(0, 10).map((file) => line(bytes(file.sizeBytes), file.path)),
    ].join('\n'),
  );
}

function entriesOf(dir: string): { path: string; isFile: boolean }[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).map((entry) => ({
    path: join(entry.parentPath, entry.name),
    isFile: entry.isFile(),
  }));
}
