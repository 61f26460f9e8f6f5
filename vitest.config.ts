import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Minutes long in a small file: begun last, as a fresh clone would for its size, they would leave a core idle at the end. */
const long = /portal\/(pairs|obstacles)|reliability\/(kill|effects)|lambda\/handler/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId);
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/global-setup.ts',
    // Long enough for a slow machine: a test waits for conditions, never for time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // On two cores: a test with a browser waits more than it works.
    maxWorkers: 4,
    maxConcurrency: 5,
    sequence: { sequencer: LongFirst },
  },
});
