import type { TestProject } from 'vitest/node'
import { makePgliteTemplate } from './helpers/pglite.ts'
import { startPostgres } from './helpers/postgres.ts'
import { findPrograms, serviceNames, whyMissing } from './helpers/programs.ts'
import { startRedis } from './helpers/redis.ts'

/** Starts the servers that all tests of a run share, and ends them with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = findPrograms()
  const missing = whyMissing(programs)
  for (const name of serviceNames) {
    if (missing[name] !== undefined) console.warn(`SKIPPING the tests that need ${name}: ${missing[name]}`)
  }
  const starting = {
    postgres: programs.postgres === undefined ? undefined : startPostgres(),
    redis: programs.redis === undefined ? undefined : startRedis(),
  }
  const making = makePgliteTemplate()
  const results = await Promise.allSettled(Object.values(starting).filter((start) => start !== undefined))
  const stop = async () => {
    ;(await making).remove()
    await Promise.all(
      results.map(async (result) => result.status === 'fulfilled' && (await result.value.stop())),
    )
  }
  const failure = results.find((result) => result.status === 'rejected')
  if (failure) {
    await stop()
    throw failure.reason
  }
  const postgres = await starting.postgres
  const redis = await starting.redis
  project.provide('services', {
    ...(postgres && { postgresUrl: postgres.url }),
    ...(redis && { redisUrl: redis.url }),
    ...(programs.chromium && { chromiumPath: programs.chromium }),
    pgliteTemplate: (await making).directory,
    missing,
  })
  return stop
}
