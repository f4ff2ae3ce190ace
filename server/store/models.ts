import type { Insertable, Selectable, Updateable } from 'kysely'
import type { Db } from './database.ts'
import type { ModelsTable } from './schema.ts'

export type ModelRow = Selectable<ModelsTable>

/** All models, oldest first. */
export function listModels(db: Db): Promise<ModelRow[]> {
  return db.selectFrom('models').selectAll().orderBy('created_at').orderBy('id').execute()
}

export function insertModel(db: Db, row: Insertable<ModelsTable>): Promise<ModelRow> {
  return db.insertInto('models').values(row).returningAll().executeTakeFirstOrThrow()
}

/**
 * Changes a model by what `change` makes of its row as it is now; undefined where there is none. The row is locked
 * meanwhile, so that what was decided about the whole of it stays true.
 */
export function updateModel(
  db: Db,
  id: string,
  change: (row: ModelRow) => Updateable<ModelsTable>,
): Promise<ModelRow | undefined> {
  return db.transaction().execute(async (tx) => {
    const row = await tx.selectFrom('models').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
    if (row === undefined) return undefined
    return await tx
      .updateTable('models')
      .set(change(row))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
  })
}

/** Whether there was one. Personas that had it get the site's default. */
export async function deleteModel(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('models').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}
