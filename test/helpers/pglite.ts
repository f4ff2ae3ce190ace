import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { openDatabase, type OpenDatabase } from '../../server/store/database.ts'
import { services } from './services.ts'

/** An empty PGlite directory, made once a run: making one takes seconds, and copying it does not. */
export async function makePgliteTemplate(): Promise<{ directory: string; remove(): void }> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-pglite-'))
  await (await PGlite.create(path.join(directory, 'pg'))).close()
  return {
    directory: path.join(directory, 'pg'),
    remove: () => fs.rmSync(directory, { recursive: true, force: true }),
  }
}

/** The embedded database in a directory of its own, without tables. */
export async function openTestPglite(): Promise<{ database: OpenDatabase; end(): Promise<void> }> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-data-'))
  const database = await openDatabase({
    dataDir,
    template: services().pgliteTemplate,
    onError(error) {
      throw error
    },
  })
  return {
    database,
    async end() {
      await database.close()
      fs.rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
