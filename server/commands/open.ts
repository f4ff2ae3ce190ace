import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { openDatabase, type OpenDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'

/** Where `npm run build` puts the client's files and the prepared database, beside the compiled server. */
export const distDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..', distBelow())

/** From sources (development, tests) the built files are one folder further down. */
function distBelow(): string {
  return import.meta.url.endsWith('.ts') ? 'dist' : '.'
}

export const pgliteTemplate = path.join(distDir, 'pglite')

/** The configured database, with its tables as this version needs them. */
export async function openStore(config: Config, log: Logger): Promise<OpenDatabase> {
  const database = await openDatabase({
    url: config.databaseUrl,
    dataDir: config.dataDir,
    poolSize: config.poolSize,
    prepare: config.prepare,
    template: pgliteTemplate,
    onError: (error) => log.warn({ err: error }, 'a database connection broke'),
  })
  try {
    for (const step of await migrate(database.db)) log.info({ step }, 'migrated')
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
