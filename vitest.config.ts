import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/global-setup.ts',
    // Long enough for a slow machine: a test waits for conditions, never for time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // On two cores: a test with a browser waits more than it works.
    maxWorkers: 3,
    maxConcurrency: 3,
  },
});
