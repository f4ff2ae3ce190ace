import type { PageRules, SiteDefaults } from '../../shared/site.ts'
import type { Db } from '../store/database.ts'
import { listSites } from '../store/sites.ts'
import { siteLimits } from './limits.ts'
import { patternsOf } from './origins.ts'

/** A site as everything but its administration knows it. */
export interface StoredSite {
  readonly id: string
  readonly name: string
  readonly origins: readonly string[]
  readonly rules: PageRules
  readonly defaults: SiteDefaults
  /** Who writes the root posts of its pages' threads. */
  readonly authorId: string
  /** How many keys its server may sign tokens with. */
  readonly keys: number
}

/** The sites, kept in memory for a short while: each frame and each count asks for one. */
export interface Sites {
  find(id: string): Promise<StoredSite | undefined>
  /** The site that pages of an origin belong to: the one with that origin, else the one with the longest wildcard. */
  byOrigin(origin: string): Promise<StoredSite | undefined>
  /** The patterns of all sites. */
  origins(): Promise<readonly string[]>
  /** Reads the table again at the next question. Other nodes do so within `siteLimits.cacheMs`. */
  forget(): void
}

interface Known {
  byId: ReadonlyMap<string, StoredSite>
  byPattern: ReadonlyMap<string, StoredSite>
}

export function createSites({ db }: { db: Db }): Sites {
  let known: Promise<Known> | undefined
  let readAt = -Infinity

  /** What many ask for at once is read once. A reading that failed is forgotten. */
  function read(): Promise<Known> {
    const now = performance.now()
    if (known !== undefined && now - readAt < siteLimits.cacheMs) return known
    readAt = now
    const mine = readSites(db)
    mine.catch(() => {
      if (known === mine) known = undefined
    })
    return (known = mine)
  }

  return {
    find: async (id) => (await read()).byId.get(id),
    async byOrigin(origin) {
      const { byPattern } = await read()
      const pattern = patternsOf(origin).find((each) => byPattern.has(each))
      return pattern === undefined ? undefined : byPattern.get(pattern)
    },
    origins: async () => [...(await read()).byPattern.keys()],
    forget: () => void (known = undefined),
  }
}

async function readSites(db: Db): Promise<Known> {
  const rows = await listSites(db)
  const sites = rows.map(({ author_id: authorId, created_at: _, ...row }): StoredSite => ({
    ...row,
    authorId,
  }))
  return {
    byId: new Map(sites.map((site) => [site.id, site])),
    byPattern: new Map(sites.flatMap((site) => site.origins.map((pattern) => [pattern, site] as const))),
  }
}
