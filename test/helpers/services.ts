import { describe, inject } from 'vitest'
import { createDatabaseOn, type TestDatabase } from './postgres.ts'
import type { ServiceName } from './programs.ts'

/** What the run has for its tests. The servers are shared by all tests of a run. */
export interface Services {
  readonly postgresUrl?: string
  readonly redisUrl?: string
  readonly chromiumPath?: string
  /** An empty PGlite directory to copy. */
  readonly pgliteTemplate: string
  /** What could not be had, and why. */
  readonly missing: Partial<Record<ServiceName, string>>
}

declare module 'vitest' {
  interface ProvidedContext {
    services: Services
  }
}

export function services(): Services {
  return inject('services')
}

/**
 * `describe` for tests that need a service. Without it they are skipped, with the reason in their title; in CI
 * that fails instead.
 */
export function describeWith(needed: ServiceName | ServiceName[], title: string, tests: () => void): void {
  const { missing } = services()
  const reasons = [needed].flat().flatMap((name) => missing[name] ?? [])
  if (reasons.length === 0) {
    describe(title, tests)
  } else if (process.env['CI']) {
    throw new Error(`${title}: ${reasons.join('; ')}`)
  } else {
    console.warn(`SKIPPED: ${title}: ${reasons.join('; ')}`)
    describe.skip(`${title} (skipped: ${reasons.join('; ')})`, tests)
  }
}

/** Makes a new, empty database on the run's Postgres. The caller drops it. */
export function createDatabase(): Promise<TestDatabase> {
  const { postgresUrl, missing } = services()
  if (postgresUrl === undefined) throw new Error(missing.postgres ?? 'there is no Postgres')
  return createDatabaseOn(postgresUrl)
}
