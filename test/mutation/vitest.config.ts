import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What kills a mutant in milliseconds first; the random histories last. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => a.moduleId.localeCompare(b.moduleId)).sort((a, b) => slow(a) - slow(b));
  }
}

const slow = ({ moduleId }: TestSpecification) => Number(moduleId.endsWith('test/model/rotation.test.ts'));

export default defineConfig({
  test: {
    include: ['test/lambda/rotation/{1b-decide,client-secret}.test.ts', 'test/model/{rotation,steps}.test.ts'],
    setupFiles: ['test/mutation/first-history.ts'],
    env: { MODEL_RUNS: '200' },
    testTimeout: 120_000,
    sequence: { sequencer: QuickestFirst },
  },
});
