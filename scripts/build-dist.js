// The last step of the build: what the compiled server needs beside it.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PostgresDialect } from 'kysely'
import { migrate } from '../dist/server/store/migrate.js'
import { pglitePool } from '../dist/server/store/pglite.js'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

fs.copyFileSync(at('server/threads/demo.jsonl'), at('dist/server/threads/demo.jsonl'))

// The database directory that a new embedded site starts from: making one takes seconds, copying it does not.
const target = at('dist/pglite')
const draft = at('dist/pglite.new')
fs.rmSync(draft, { recursive: true, force: true })
const pglite = await PGlite.create(draft)
const db = new Kysely({ dialect: new PostgresDialect({ pool: pglitePool(pglite) }) })
await migrate(db)
await db.destroy()
fs.rmSync(target, { recursive: true, force: true })
fs.renameSync(draft, target)
