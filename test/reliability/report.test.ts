import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { latest, reliabilityPage } from './report.ts';

const results = readFileSync('test/reliability/results.jsonl', 'utf8');

it('docs/reliability.md is what was recorded', () => {
  expect(readFileSync('docs/reliability.md', 'utf8')).toBe(reliabilityPage(results));
});

it('every level of proof has been run, and noticed what was broken on purpose', () => {
  const levels = (broken: boolean) =>
    new Set(latest(results).flatMap(({ level, what }) => (/^broken/.test(what) === broken ? level : [])));
  expect(levels(false)).toEqual(new Set(['model', 'effects', 'processes', 'services']));
  expect([...levels(true)]).toContain('model');
});

it('a smaller run does not replace a larger one', () => {
  const run = (cases: number) =>
    JSON.stringify({ level: 'model', what: `${cases} histories`, cases, outcome: '', seconds: 1 });
  expect(latest([run(100), run(10)].join('\n')).map(({ cases }) => cases)).toEqual([100]);
  expect(latest([run(100), run(200)].join('\n')).map(({ cases }) => cases)).toEqual([200]);
});
