import { defineConfig } from 'vitest/config'

/** Two at a time is what a small machine bears; what measures time or drives browsers runs alone. */
const project = (name: string, order: number, options: { alone?: boolean; testTimeout?: number } = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.{ts,tsx}`],
    maxWorkers: options.alone ? 1 : 2,
    fileParallelism: !options.alone,
    testTimeout: options.testTimeout ?? 30_000,
    hookTimeout: 60_000,
    sequence: { groupOrder: order },
  },
})

export default defineConfig({
  // Views are compiled as the build compiles them.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    globalSetup: 'test/global-setup.ts',
    pool: 'forks',
    retry: 0,
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      project('unit', 1),
      project('contract', 2),
      project('security', 3),
      project('cluster', 4, { alone: true }),
      project('browser', 5, { alone: true, testTimeout: 60_000 }),
    ],
  },
})
