import { expect, it } from 'vitest';
import { calm, faultsIn, findCounterexample, live } from './histories.ts';

it('without faults each rotation presses once and leaves nothing behind', async () => {
  const world = await live(calm);
  expect(faultsIn(world), world.history.join('\n')).toEqual([]);
  expect(world.presses).toHaveLength(3);
});

it('whatever dies, whenever, no secret is lost, no press repeated, and every event is true', {
  timeout: 3_600_000,
}, async () => {
  expect(await findCounterexample(Number(process.env.MODEL_RUNS ?? 2_000))).toBeUndefined();
});
