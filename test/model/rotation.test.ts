import { expect, it } from 'vitest';
import { seed } from '../choice.ts';
import { recordResult } from '../record-results.ts';
import { calm, findCounterexample, live } from './histories.ts';

const { MODEL_RUNS } = process.env;
const runs = Number(MODEL_RUNS ?? 2_000);

it('without faults each rotation presses once and leaves nothing behind', async () => {
  const world = await live(calm);
  expect(world.wrong).toEqual([]);
  expect(world.presses).toBe(3);
});

it(`whatever happens, whenever, no secret is lost, no press repeated, and every event is true: ${runs} random histories`, {
  timeout: 3_600_000,
}, async () => {
  const beganMs = performance.now();
  // What is searched for longer is searched elsewhere each time.
  expect(await findCounterexample(runs, MODEL_RUNS === undefined ? seed : undefined)).toBeUndefined();
  recordResult({
    level: 'model',
    what: 'random histories of up to four faults in two rotations with their retries',
    cases: runs,
    outcome: 'every invariant held',
    seconds: Math.round((performance.now() - beganMs) / 1000),
  });
});
