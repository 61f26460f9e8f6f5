import { expect, it } from 'vitest';
import { type Measured, measure } from '../../bench/availability/measure.ts';
import { judge } from '../../bench/availability/results.ts';

const setting = {
  ...{ name: 'in the suite', factor: 0.02, rotations: 3, tokenLifeSeconds: 30, warmUpSeconds: 3 },
  ...{ calls: 200, expectedRotationSeconds: 6, killEvery: 0, consumers: 30 },
  // The library's default: what the function itself takes for a changeover is not scaled, and a busy machine takes long.
  rotationWait: 60_000,
};

it('three rotations cost consumers with the library no call and no cold start, and those without it some', async () => {
  const measured = await measure(setting);
  const { reports, outcomes, pressesAt } = measured;
  expect(outcomes).toEqual(['succeeded', 'succeeded', 'succeeded']);
  expect(pressesAt).toHaveLength(3);
  for (const strategy of ['library', 'library-and-events', 'cold-starts'] as const) {
    expect(reports[strategy], strategy).toMatchObject({ failed: 0, coldFailed: 0 });
    expect(reports[strategy].coldStarts).toBeGreaterThan(0);
  }
  expect(reports.library.calls).toBeGreaterThanOrEqual(setting.calls);
  expect(reports['library-and-events'].calls).toBeGreaterThanOrEqual(setting.calls);
  // The same load would have told of a library that fails.
  expect(reports.environment.failed + reports['each-token'].failed + reports['when-rejected'].failed).toBeGreaterThan(
    0,
  );
  expect(reports.environment.worstOutageMs).toBeGreaterThan(0);
  // How long a call takes is the machine's matter here.
  expect(judge([measured]).filter((fault) => !fault.includes('p99'))).toEqual([]);
  expect(judge([withFailure(measured)])).toContainEqual(expect.stringContaining('1 failed calls'));
  expect(judge([{ ...measured, pressesAt: [] }])).toContainEqual(expect.stringContaining('0 presses in 3 rotations'));
  // Three rotations with seven processes beside them.
}, 600_000);

/** The same with one failed call of the library's. */
function withFailure(measured: Measured): Measured {
  const { reports } = measured;
  return { ...measured, reports: { ...reports, library: { ...reports.library, failed: 1 } } };
}
