import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { assertFitsLambda, assetHandler, buildFunctionAsset, bundleHandler } from '../../infra/function-asset.ts';
import type { PreflightReport } from '../../lambda/rotation/preflight.ts';
import { startTestEnvironment, type TestEnvironment, testTimes } from '../harness.ts';
import type { handler as browserProbe } from './browser-probe.ts';
import { type LambdaMachine, type LambdaRuntime, lambdaMachine } from './lambda-runtime.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'asset-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

let machine: LambdaMachine;
beforeAll(() => {
  machine = lambdaMachine();
  buildFunctionAsset(machine.task);
  bundleHandler('test/infra/browser-probe.ts', join(machine.task, 'probe'));
  for (const path of everyPath()) chmodSync(path, statSync(path).mode & 0o555);
});
afterAll(() => {
  for (const path of everyPath()) chmodSync(path, 0o755);
  machine.remove();
});

const filesIn = (directory: string) => readdirSync(directory, { recursive: true }).map(String);
const everyPath = () => ['.', ...filesIn(machine.task)].map((name) => join(machine.task, name));

describe('the asset of the function', () => {
  test('can be read by a user who did not build it', () => {
    const names = filesIn(machine.task).filter((name) => !name.startsWith('probe'));
    const modes = names.map((name) => statSync(join(machine.task, name)).mode & 0o777);
    expect([...new Set(modes.map((mode) => mode.toString(8)))]).toEqual(['555']);
  });

  test('names no path of the machine that built it', () => {
    const names = filesIn(machine.task).filter((name) => /\.(mjs|txt)$/.test(name) && !name.startsWith('node_modules'));
    expect(names).toEqual(expect.arrayContaining(['lambda/handler.mjs', 'THIRD-PARTY-LICENSES.txt']));
    for (const name of names) expect(readFileSync(join(machine.task, name), 'utf8')).not.toContain(root);
  });

  test('has one Chromium, its libraries and fonts, ready to run, and nothing to unpack', () => {
    const names = filesIn(machine.task);
    expect(names.filter((name) => /\.(br|tar|gz)$|swiftshader/.test(name))).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['chromium/chromium', 'chromium/al2023/lib/libnss3.so', expect.stringMatching(/\.ttf$/)]),
    );
  });

  test('brings the licence of everything that is in it', () => {
    const licences = readFileSync(join(machine.task, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    const named = (name: string) => new RegExp(`^${name} .*\\((BSD-3-Clause|MIT|Apache-2.0)`, 'm').test(licences);
    const all = ['Chromium', '@sparticuz/chromium', 'playwright-core', 'playwright-aws-lambda', 'zod'];
    expect(all.filter((name) => !named(name))).toEqual([]);
    expect(/undefined/.test(licences)).toBe(false);
    expect(licences.match(/^ +Apache License\s+Version 2.0|^MIT License/gim)?.length).toBeGreaterThan(1);
  });
});

/** The function's environment, with the services of this machine. */
function environmentFor({ urls, service, topicArn }: TestEnvironment): Record<string, string> {
  const PORTAL_PROFILE_PARAMETER = '/portal-profile';
  service.parameters.set(PORTAL_PROFILE_PARAMETER, JSON.stringify({ times: testTimes }));
  return {
    AWS_ENDPOINT_URL: urls.secretsManager,
    AWS_ENDPOINT_URL_SSM: service.url,
    AWS_ENDPOINT_URL_SNS: urls.messaging,
    ROTATION_TOPIC_ARN: topicArn,
    PORTAL_PROFILE_PARAMETER,
  };
}

const presses = ({ provider }: TestEnvironment) => provider.provider.counters.presses;

/** A Chromium that is closing may leave an empty file: the next launch removes it, so there is one of them at most. */
function contentOf(directory: string): { names: string[]; bytes: number } {
  const [oneAtMost = '', ...more] = readdirSync(directory).filter((name) => name.startsWith('.org.chromium.'));
  expect(more).toEqual([]);
  const names = filesIn(directory).filter((name) => name !== oneAtMost);
  const bytes = names.reduce(
    (sum, name) => sum + (lstatSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  return { names: names.filter((name) => !name.includes('/')).sort(), bytes };
}

describe('run as Lambda does, by the Runtime API, where only /tmp can be written to', () => {
  let running: LambdaRuntime | undefined;
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });

  test('the browser draws: text, an outline and a screenshot, without SwiftShader', async () => {
    running = await machine.function('probe/handler.handler');
    const result = (await running.invoke({})) as Awaited<ReturnType<typeof browserProbe>>;
    expect(result.outline).toBe('- button "Rotate"');
    expect(result.screenshotBytes).toBeGreaterThan(1_000);
  });

  test('preflights and rotations succeed in one process, and in the next after all was killed in mid-invocation; /tmp does not fill up', async () => {
    let killAt: string | undefined;
    let leftBehind: string[] = [];
    const environment = await startTestEnvironment({
      driven: true,
      // The function is the one below, and a killed step is run again.
      secretsManager: { invoke: (event) => fn.invoke(event), retries: 1, retryDelayMs: 0 },
    });
    const fn = await machine.function(assetHandler, environmentFor(environment), (line) => {
      environment.printed.push(line);
      if (killAt && line.includes(`"fact":"${killAt}"`)) {
        killAt = undefined;
        void fn.kill().then(() => {
          leftBehind = readdirSync(machine.tmp);
        });
      }
    });
    running = fn;
    const preflight = () =>
      fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated }) as Promise<PreflightReport>;

    expect(await preflight()).toMatchObject({ ok: true });
    const [first] = fn.processes();
    expect(statSync(`/proc/${first}`).uid).not.toBe(0);
    // A browser that was told to close may take a moment, and so may its profile.
    const browserIsGone = async () => {
      await expect.poll(() => fn.processes()).toEqual([first]);
      const profile = expect.stringMatching(/^playwright_/);
      await expect.poll(() => contentOf(machine.tmp).names).not.toContainEqual(profile);
    };
    expect(await environment.rotate()).toBe('succeeded');
    await browserIsGone();
    const usual = contentOf(machine.tmp);
    expect(await preflight()).toMatchObject({ ok: true });
    await browserIsGone();
    await expect.poll(() => contentOf(machine.tmp)).toEqual(usual);

    killAt = 'developer-tools';
    const pressesBefore = presses(environment);
    expect(await environment.rotate()).toBe('succeeded');
    // Shows that there was something to clear away.
    expect(leftBehind).toEqual(expect.arrayContaining([expect.stringMatching(/^playwright_chromiumdev_profile-/)]));
    expect(fn.processes()).not.toContain(first);
    expect(presses(environment) - pressesBefore).toBe(1);
    await expect.poll(() => contentOf(machine.tmp)).toEqual(usual);
    expect(usual.bytes).toBeLessThan(50_000_000);
  });
});

test('the evidence of a failure reaches its bucket', async () => {
  const stored: (string | undefined)[] = [];
  const bucket = createServer((request, response) => {
    stored.push(request.url);
    request.resume().on('end', () => response.end());
  });
  await once(bucket.listen(0, '127.0.0.1'), 'listening');
  const environment = await startTestEnvironment();
  const fn = await machine.function(assetHandler, {
    ...environmentFor(environment),
    EVIDENCE_BUCKET: 'evidence',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`,
  });
  try {
    const profile = { labels: { dangerZone: ['No such zone'] }, times: { ...testTimes, pageMs: 2_000 } };
    environment.service.parameters.set('/portal-profile', JSON.stringify(profile));
    const report = (await fn.invoke({ Step: 'preflight', SecretId: environment.secrets.rotated })) as PreflightReport;
    expect(
      report.checks
        .filter(({ ok }) => !ok)
        .map(({ detail }) => detail)
        .join(),
    ).toContain('Danger Zone');
    expect(stored).toContainEqual(expect.stringMatching(/^\/evidence\/.*\.png/));
  } finally {
    await fn.close();
    bucket.close();
  }
});

test('what the parts are said to have had is what they have, so that a part that grows is found', () => {
  let refusal = '';
  try {
    assertFitsLambda(machine.task, 0);
  } catch (error) {
    refusal = (error as Error).message;
  }
  const grownBytes = [...refusal.matchAll(/^ +\+([\d,]+) /gm)].map(([, count = '']) =>
    Number(count.replaceAll(',', '')),
  );
  expect(grownBytes).not.toEqual([]);
  expect(Math.max(...grownBytes)).toBeLessThan(5_000_000);
});

test('an asset above the limit is refused with its size, the limit, what grew and the largest files', () => {
  const dir = join(work, 'large');
  mkdirSync(join(dir, 'bin'), { recursive: true });
  writeFileSync(join(dir, 'bin', 'browser'), Buffer.alloc(1_500));
  writeFileSync(join(dir, 'small'), Buffer.alloc(500));
  expect(() => assertFitsLambda(dir, 2_000)).not.toThrow();
  expect(() => assertFitsLambda(dir, 1_999, { bin: 400, small: 600 })).toThrow(
    /2,000 bytes unzipped, Lambda takes 1,999\. What grew:\n +\+1,100 {2}bin\nLargest files:\n +1,500 {2}bin\/browser\n +500 {2}small$/,
  );
});
