import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const forbidden: [string, string][] = [
  ['lambda/rotation/x.ts', '@aws-sdk/client-sns'],
  ['lambda/rotation/x.ts', 'playwright-core'],
  ['lambda/rotation/x.ts', '../aws/secret-store.ts'],
  ['lambda/aws/x.ts', '../rotation/1b-decide.ts'],
  ['lambda/portal/x.ts', '../rotation/preflight.ts'],
  ['lambda/portal/x.ts', '../../local/start.ts'],
  ['lambda/handler.ts', '../local/start.ts'],
  ['lambda/handler.ts', 'zod'],
  ['lambda/portal/x.ts', 'zod'],
  ['lambda/rotation/x.ts', 'zod'],
  ['consumer/x.ts', '../lambda/log.ts'],
  ['infra/x.ts', '../lambda/handler.ts'],
  ['ops/x.ts', '../local/start.ts'],
];

const allowed: [string, string][] = [
  ['lambda/rotation/x.ts', './limits.ts'],
  ['lambda/rotation/x.ts', 'zod/mini'],
  ['lambda/portal/x.ts', 'zod/mini'],
  ['lambda/aws/x.ts', '../rotation/ports.ts'],
  ['lambda/oauth/x.ts', '../../consumer/token-request.ts'],
  ['infra/x.ts', 'aws-cdk-lib/aws-lambda'],
  ['ops/x.ts', '../lambda/rotation/labels.ts'],
];

describe('imports point inwards', () => {
  const tree = mkdtempSync(join(tmpdir(), 'tidy-'));
  afterAll(() => rmSync(tree, { recursive: true }));

  /** What Biome, as it is configured here, says of a file with only this import. */
  function lint(path: string, module: string): string {
    const file = join(tree, path);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync('biome.json', join(tree, 'biome.json'));
    writeFileSync(file, `import { x } from '${module}';\nx();\n`);
    const options = { cwd: tree, encoding: 'utf8' } as const;
    const { stdout, stderr } = spawnSync(
      resolve('node_modules/.bin/biome'),
      ['lint', '--vcs-enabled=false', path],
      options,
    );
    expect(stdout + stderr).toContain('Checked 1 file');
    return stdout + stderr;
  }

  it.each(forbidden)('%s may not import %s', (path, module) => {
    expect(lint(path, module)).toContain('noRestrictedImports');
  });

  it.each(allowed)('%s may import %s', (path, module) => {
    expect(lint(path, module)).not.toContain('noRestrictedImports');
  });
});

/** Every file but what is installed or built; there may be no git. */
function repositoryFiles(): string[] {
  const built = /(^|\/)(node_modules|cdk\.out|coverage|\.git)(\/|$)/;
  return readdirSync('.', { recursive: true, encoding: 'utf8' })
    .filter((path) => !built.test(path))
    .filter((path) => /\.(ts|json|md|ya?ml|html)$|^\.ci\/run|^LICENSE$/.test(path));
}

describe('the repository', () => {
  const offences: [string, RegExp][] = [
    ['a path of one machine', /(?<![\w.-])\/(?:home|root|Users|work)\/\w/],
    ['a download address in a lockfile', /"resolved": "https?:/],
  ];

  const offenders = (files: readonly [string, string][]) =>
    files.flatMap(([path, text]) =>
      offences.filter(([, pattern]) => pattern.test(text)).map(([name]) => `${path}: ${name}`),
    );

  it('names no path of a machine and no address of a registry', () => {
    const files = repositoryFiles().map((path): [string, string] => [
      path,
      path === 'test/tidy.test.ts' ? '' : readFileSync(path, 'utf8'),
    ]);
    expect(files.length).toBeGreaterThan(20);
    expect(offenders(files)).toEqual([]);
  });

  it('would be told of one', () => {
    expect(offenders([['x.md', 'see /home/me/notes']])).toHaveLength(1);
    expect(offenders([['package-lock.json', '"resolved": "https://registry.example/x"']])).toHaveLength(1);
  });
});
