import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordResult } from '../record-results.ts';
import { type Variant, variants } from './variants.ts';

let tree: string;

beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'variant-'));
  cpSync('lambda/rotation', join(tree, 'lambda/rotation'), { recursive: true });
  cpSync('test/model', join(tree, 'test/model'), { recursive: true });
  cpSync('package.json', join(tree, 'package.json'));
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
});

afterEach(() => rmSync(tree, { recursive: true }));

function breakRules(edits: Variant['edits']): void {
  for (const [file, rule, broken] of edits) {
    const path = join(tree, 'lambda/rotation', file);
    const source = readFileSync(path, 'utf8');
    expect(source, `${file} no longer has the rule that is to be broken`).toContain(rule);
    writeFileSync(path, source.replace(rule, broken));
  }
}

/** What the suite's own search finds in the tree, in a process of its own. */
function search(name: string): string {
  const script = [
    "const { explore, small } = await import('./test/model/exhaustive.ts');",
    `const found = await explore(small.find(({ what }) => what.includes('${name}')));`,
    "console.log(found.counterexample ?? 'nothing');",
  ].join('\n');
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: tree,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

it.each(variants)('the model catches $name', ({ name, edits, caughtBy, caughtAs }) => {
  breakRules(edits);
  const beganMs = performance.now();
  const found = search(caughtBy);
  expect(found).toMatch(caughtAs);
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  const outcome = /^WRONG: (.*)/m.exec(found)?.[1] ?? '';
  recordResult({ level: 'model', what: `broken variant: ${name}`, cases: 1, outcome: `caught: ${outcome}`, seconds });
});

it('a counterexample is told in readable lines: what is wrong, under which conditions, who did what, and how to repeat it', () => {
  breakRules(variants.find(({ name }) => name === 'no mutex on the slot')?.edits ?? []);
  const lines = search('a calm provider').trimEnd().split('\n');
  expect(lines[0]).toMatch(/^WRONG: pressed again/);
  expect(lines[1]).toMatch(/^Conditions: /);
  expect(lines.filter((line) => / s ! /.test(line))).toHaveLength(1);
  expect(lines.at(-2)).toMatch(/ X .*pressed again/);
  expect(lines.at(-1)).toMatch(/^To repeat it: live\(/);
  expect(lines.length).toBeLessThan(100);
});
