import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertFitsLambda, buildFunctionAsset } from '../../infra/function-asset.ts';
import type { handler as browserProbe } from './browser-probe.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'asset-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Builds the asset where no node_modules is around, and calls its handler as Lambda does: another process, a bare environment. */
function deployed(name: string, entryPoint?: string) {
  const task = join(work, name);
  const tmp = join(work, `${name}-tmp`);
  mkdirSync(task);
  mkdirSync(tmp);
  buildFunctionAsset(task, entryPoint);
  return {
    task,
    invoke<Result>(event: unknown): { result?: Result; error?: string } {
      const script = `
        const { handler } = await import(${JSON.stringify(join(task, 'lambda/handler.mjs'))});
        const context = { getRemainingTimeInMillis: () => 60_000 };
        const answer = await handler(${JSON.stringify(event)}, context).then((result) => ({ result }), ({ message }) => ({ error: message }));
        console.log(JSON.stringify(answer));
        process.exit();`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
        cwd: '/',
        env: {
          AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
          AWS_LAMBDA_FUNCTION_NAME: 'rotation',
          AWS_REGION: 'eu-central-1',
          LANG: 'en_US.UTF-8',
          PATH: '/usr/bin:/bin',
          ROTATION_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:topic',
          TMPDIR: tmp,
        },
        encoding: 'utf8',
      });
      const answer = stdout.trim().split('\n').at(-1);
      if (!answer) throw new Error(stderr);
      return JSON.parse(answer);
    },
  };
}

describe('the asset of the function', () => {
  let asset: ReturnType<typeof deployed>;
  beforeAll(() => {
    asset = deployed('task');
  }, 30_000);

  test('runs alone: the handler answers in its own terms', () => {
    expect(asset.invoke({ Step: 'unknown' }).error).toMatch(/^\[configuration\] .*; pressed: no; next: /);
  });

  test('can be read by a user who did not build it', () => {
    const modes = readdirSync(asset.task, { recursive: true }).map(
      (name) => statSync(join(asset.task, String(name))).mode,
    );
    expect([...new Set(modes.map((mode) => (mode & 0o777).toString(8)))]).toEqual(['755']);
  });

  test('names no path of the machine that built it', () => {
    const lambda = join(asset.task, 'lambda');
    const sources = readdirSync(lambda).map((name) => readFileSync(join(lambda, name), 'utf8'));
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(source).not.toContain(root);
  });

  test('has one Chromium, not the launcher’s old one as well', () => {
    const archives = readdirSync(asset.task, { recursive: true }).filter((name) =>
      String(name).endsWith('chromium.br'),
    );
    expect(archives).toEqual(['node_modules/@sparticuz/chromium/bin/chromium.br']);
  });
});

test('the browser of the function starts from its asset', () => {
  const asset = deployed('probe', 'test/infra/browser-probe.ts');
  const { result, error } = asset.invoke<Awaited<ReturnType<typeof browserProbe>>>({});
  expect(error).toBeUndefined();
  expect(result?.outline).toBe('- button "Rotate"');
  expect(result?.screenshotBytes).toBeGreaterThan(1_000);
}, 60_000);

test('an asset above the limit is refused with its size, the limit and the largest files', () => {
  const dir = join(work, 'large');
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'bin', 'browser'), Buffer.alloc(1_500));
  writeFileSync(join(dir, 'small'), Buffer.alloc(500));
  expect(() => assertFitsLambda(dir, 2_000)).not.toThrow();
  expect(() => assertFitsLambda(dir, 1_999)).toThrow(
    /2,000 bytes unzipped, Lambda takes 1,999\. Largest files:\n +1,500 {2}bin\/browser\n +500 {2}small$/,
  );
});
