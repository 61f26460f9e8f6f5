import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** What was changed in which file: a rule of the design, broken. */
const variants: [name: string, file: string, rule: string, broken: string][] = [
  [
    'a second press after P instead of W',
    'limits.ts',
    'return slotToPressMs + limits.lateEffectMs + limits.propagationMs + clockSkewMs;',
    'return limits.propagationMs;',
  ],
  [
    'the label dropped before the event is published',
    'rotated-due.ts',
    'await ports.events.publish({',
    'await dropLabel(run, ports, rotatedDue, versionId);\n  await ports.events.publish({',
  ],
  ['the event forgotten', 'rotated-due.ts', 'await ports.events.publish({', 'void ({'],
  [
    'a press before the slot',
    '1d-press.ts',
    'const slotBeganMs = await takeSlot(run, ports, found);',
    'await dialog.press(run.signal).catch(() => undefined);\n    const slotBeganMs = await takeSlot(run, ports, found);',
  ],
  [
    'AWSCURRENT moved without a test',
    '3-test-secret.ts',
    'const answer = await askUntilAccepted(run, ports, pending);',
    'if (pending) return;\n  const answer = await askUntilAccepted(run, ports, pending);',
  ],
];

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'variant-'));
  cpSync('lambda/rotation', join(tree, 'lambda/rotation'), { recursive: true });
  cpSync('test/model', join(tree, 'test/model'), { recursive: true });
  cpSync('package.json', join(tree, 'package.json'));
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
});

afterEach(() => rmSync(tree, { recursive: true }));

/** What the model finds in the tree, in a process of its own. */
function search(runs: number): string {
  const script = `console.log((await (await import('./test/model/histories.ts')).findCounterexample(${runs}, 7)) ?? 'nothing')`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: tree,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

it.each(variants)('the model catches %s', (_name, file, rule, broken) => {
  const path = join(tree, 'lambda/rotation', file);
  const source = readFileSync(path, 'utf8');
  expect(source).toContain(rule);
  writeFileSync(path, source.replace(rule, broken));
  expect(search(4_000)).toMatch(/^seed 7/);
});

it('and finds nothing in the code as it is', () => {
  expect(search(200)).toBe('nothing\n');
});
