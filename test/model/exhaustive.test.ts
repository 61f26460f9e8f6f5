import { expect, it } from 'vitest';
import { recordResult } from '../record-results.ts';
import { explore, full, small } from './exhaustive.ts';

const searches = process.env.MODEL_BOUND === 'full' ? full : small;

it.each(searches)('every history holds: $what', { timeout: 3_600_000 }, async (search) => {
  const beganMs = performance.now();
  const { histories, states, counterexample } = await explore(search);
  expect(counterexample).toBeUndefined();
  const seconds = Math.round((performance.now() - beganMs) / 1000);
  console.log(`${search.what}: ${histories} histories, ${states} states, ${seconds} s`);
  recordResult({
    level: 'model',
    what: `every history: ${search.what}`,
    cases: histories,
    outcome: `every invariant held in ${states} states`,
    seconds,
  });
});
