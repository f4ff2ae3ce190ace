import { defineConfig } from 'vitest/config'

/** Two files at a time is what a small machine bears; what measures time, or stops and starts servers, runs alone. */
function project(name: string, options: { order: number; alone?: boolean; testTimeout?: number }) {
  return {
    // As the build compiles views.
    oxc: { jsx: { runtime: 'automatic' as const, importSource: 'preact' } },
    test: {
      name,
      include: [`test/${name}/**/*.test.{ts,tsx}`],
      pool: 'forks' as const,
      maxWorkers: options.alone ? 1 : 2,
      fileParallelism: !options.alone,
      testTimeout: options.testTimeout ?? 30_000,
      hookTimeout: 60_000,
      restoreMocks: true,
      unstubEnvs: true,
      sequence: { groupOrder: options.order },
    },
  }
}

export default defineConfig({
  test: {
    // Of the run, not of the projects: these inherit nothing, or each would start servers of its own.
    globalSetup: 'test/global-setup.ts',
    projects: [
      project('unit', { order: 1 }),
      project('contract', { order: 2 }),
      project('security', { order: 3 }),
      project('cluster', { order: 4, alone: true }),
      project('browser', { order: 5, testTimeout: 60_000 }),
      project('smoothness', { order: 6, alone: true, testTimeout: 60_000 }),
    ],
  },
})
