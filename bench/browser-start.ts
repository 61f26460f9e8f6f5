/**
 * What the asset's form is worth, and what a function made of it needs: process start to first page beside the same with Chromium
 * unpacked at run time; loading the handler beside loading an empty one; the memory and `/tmp` of a rotation. In one run,
 * alternating, so that all meet the same machine. Prints, asserts nothing.
 */
import { cpSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BuildOptions, buildSync } from 'esbuild';
import { assetHandler, buildFunctionAsset, bundleHandler } from '../infra/function-asset.ts';
import { startEnvironment } from '../local/environment.ts';
import { type LambdaMachine, type LambdaRuntime, lambdaMachine } from '../test/infra/lambda-runtime.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
  throw new RangeError(`--rounds is a whole number from 1 to 100, not ${values.rounds}`);
}

/** As the package's own documentation has it. */
const unpacking = `
  import chromium from '@sparticuz/chromium';
  import { chromium as playwright } from 'playwright-core';
  export async function handler() {
    const executablePath = await chromium.executablePath();
    const browser = await playwright.launch({ executablePath, args: chromium.args, headless: true });
    const page = await browser.newPage();
    await page.setContent('<button>Rotate</button>');
    console.log('first page');
    await browser.close();
  }`;

const machine = lambdaMachine();
try {
  const { task } = machine;
  buildFunctionAsset(task);
  bundleHandler('test/infra/browser-probe.ts', join(task, 'probe'));
  build({ stdin: { contents: 'export async function handler() {}', resolveDir: root } }, 'empty/handler.mjs');
  build({ stdin: { contents: unpacking, resolveDir: root } }, 'unpacking/handler.mjs');
  const packed = 'node_modules/@sparticuz/chromium';
  build({ entryPoints: ['@sparticuz/chromium'] }, `${packed}/build/index.js`);
  for (const name of ['package.json', 'bin']) {
    cpSync(join(root, packed, name), join(task, packed, name), { recursive: true });
  }

  const inPlace: number[] = [];
  const unpacked: number[] = [];
  const init: Awaited<ReturnType<typeof initCost>>[] = [];
  const emptyInit: typeof init = [];
  for (let round = 1; round <= rounds; round++) {
    unpacked.push(await firstPageMs(machine, 'unpacking/handler.handler'));
    inPlace.push(await firstPageMs(machine, 'probe/handler.handler'));
    for (let again = 0; again < 3; again++) {
      emptyInit.push(await initCost(machine, 'empty/handler.handler'));
      init.push(await initCost(machine, assetHandler));
    }
    process.stderr.write(`\r${round} of ${rounds}`);
  }
  process.stderr.write('\n');
  compare('process start to first page, ms', ['unpacked at run time', unpacked], ['in place', inPlace], 'at least 3');
  for (const [what, key] of [
    ['init, ms', 'wallMs'],
    ['init, ms of processor time', 'cpuMs'],
  ] as const) {
    const of = (costs: typeof init) => costs.map((cost) => cost[key]);
    compare(what, ['the handler', of(init)], ['an empty handler', of(emptyInit)], 'at most 1.5');
  }
  await measureRotation(machine);
} finally {
  machine.remove();
}

function build(options: BuildOptions, outfile: string): void {
  const require =
    "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);";
  buildSync({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['playwright-core', ...('stdin' in options ? ['@sparticuz/chromium'] : [])],
    banner: { js: require },
    outfile: join(machine.task, outfile),
    ...options,
  });
}

/** With an empty /tmp, as a new Lambda environment has it. */
async function firstPageMs({ tmp, function: start }: LambdaMachine, handler: string): Promise<number> {
  for (const name of readdirSync(tmp)) rmSync(join(tmp, name), { recursive: true });
  let shownAtMs = Number.NaN;
  const fn = await start(handler, {}, (line) => {
    if (line === 'first page') shownAtMs = performance.now();
  });
  const beganMs = performance.now();
  await fn.invoke({});
  await fn.close();
  return shownAtMs - beganMs;
}

/** The processor's time besides: on a busy machine it tells more. @see Linux kernel, "Scheduler Statistics" */
async function initCost(
  { function: start }: LambdaMachine,
  handler: string,
): Promise<{ wallMs: number; cpuMs: number }> {
  const fn = await start(handler);
  const wallMs = await fn.init();
  const threads = `/proc/${fn.processes()[0]}/task`;
  const ns = readdirSync(threads).map((id) => Number(readFileSync(`${threads}/${id}/schedstat`, 'utf8').split(' ')[0]));
  await fn.close();
  return { wallMs, cpuMs: ns.reduce((sum, each) => sum + each, 0) / 1e6 };
}

function compare(what: string, slow: [string, number[]], fast: [string, number[]], wanted: string): void {
  const [[slowName, slowMs], [fastName, fastMs]] = [slow, fast];
  const figures = (of: number[]) => `${Math.round(median(of))} (fastest ${Math.round(Math.min(...of))})`;
  print(`${what}: ${slowName} ${figures(slowMs)}, ${fastName} ${figures(fastMs)}`);
  const ratio = (median(slowMs) / median(fastMs)).toFixed(2);
  const fastest = (Math.min(...slowMs) / Math.min(...fastMs)).toFixed(2);
  print(`  ${slowName} over ${fastName}: ${ratio} by the medians, ${fastest} by the fastest; ${wanted} is wanted`);
}

async function measureRotation({ tmp, function: start }: LambdaMachine): Promise<void> {
  for (const name of readdirSync(tmp)) rmSync(join(tmp, name), { recursive: true });
  const environment = await startEnvironment({
    portalProfile: { times: { propagationMs: 400, lateEffectMs: 400, secondLookMarginMs: 200 } },
    secretsManager: { retries: 0, invoke: (event) => fn.invoke(event) },
  });
  const { urls, service, topicArn } = environment;
  const fn = await start(assetHandler, {
    AWS_ENDPOINT_URL: urls.secretsManager,
    AWS_ENDPOINT_URL_SSM: service.url,
    AWS_ENDPOINT_URL_SNS: urls.messaging,
    ROTATION_TOPIC_ARN: topicArn,
    PORTAL_PROFILE_PARAMETER: [...service.parameters.keys()][0] ?? '',
  });
  try {
    const highWaterBytes = new Map<number, number>();
    const peak = { proportionalBytes: 0, tmpBytes: 0 };
    const sampling = setInterval(() => {
      const ids = fn.processes();
      for (const id of ids)
        highWaterBytes.set(id, Math.max(memory(id, 'status', 'VmHWM'), highWaterBytes.get(id) ?? 0));
      const proportionalBytes = ids.reduce((sum, id) => sum + memory(id, 'smaps_rollup', 'Pss'), 0);
      peak.proportionalBytes = Math.max(peak.proportionalBytes, proportionalBytes);
      peak.tmpBytes = Math.max(peak.tmpBytes, usedBytes(tmp, fn));
    }, 50);
    const used: number[] = [];
    const highWaterSums: number[] = [];
    for (let rotation = 0; rotation < 3; rotation++) {
      highWaterBytes.clear();
      const outcome = await environment.rotate();
      if (outcome !== 'succeeded') throw new Error(`the rotation ${outcome}`);
      highWaterSums.push([...highWaterBytes.values()].reduce((sum, bytes) => sum + bytes, 0));
      used.push(usedBytes(tmp, fn));
    }
    clearInterval(sampling);
    print(
      `a rotation: at most ${mib(peak.proportionalBytes)} of memory at once (proportional set size of all processes)`,
    );
    print(`  high-water marks of its processes, summed with all that they share: ${mib(Math.max(...highWaterSums))}`);
    print(
      `/tmp: at most ${mib(peak.tmpBytes)}, deleted but open files included; after each rotation ${used.map(mib).join(', ')}`,
    );
  } finally {
    await fn.close();
    await environment.close();
  }
}

/** @see proc_pid_status(5), proc_pid_smaps_rollup(5) */
function memory(id: number, file: 'status' | 'smaps_rollup', field: string): number {
  try {
    const text = readFileSync(`/proc/${id}/${file}`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
  } catch {
    // It has gone.
    return 0;
  }
}

function usedBytes(tmp: string, fn: LambdaRuntime): number {
  const sizes = new Map<number, number>();
  const count = (path: string, stat: typeof statSync) => {
    try {
      const { ino, blocks } = stat(path) as { ino: number; blocks: number };
      sizes.set(ino, blocks * 512);
    } catch {
      // It has gone.
    }
  };
  const walk = (path: string) => {
    count(path, lstatSync);
    try {
      for (const name of readdirSync(path)) walk(join(path, name));
    } catch {
      // It has gone, or is no directory.
    }
  };
  walk(tmp);
  for (const id of fn.processes()) {
    try {
      for (const fd of readdirSync(`/proc/${id}/fd`)) {
        const path = `/proc/${id}/fd/${fd}`;
        if (readlinkSync(path).startsWith(`${tmp}/`)) count(path, statSync);
      }
    } catch {
      // It has gone.
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function median(of: number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
