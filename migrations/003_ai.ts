import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('models')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('provider', 'text', (c) =>
      c.notNull().check(sql`provider in ('openai-compatible', 'anthropic', 'google')`),
    )
    .addColumn('base_url', 'text')
    .addColumn('model', 'text', (c) => c.notNull())
    // Encrypted with a key that is made from the site's secret; never given out again.
    .addColumn('api_key', 'text')
    .addColumn('context_tokens', 'integer', (c) => c.notNull())
    // A million tokens' price, in units of `currency`.
    .addColumn('input_price', 'double precision')
    .addColumn('output_price', 'double precision')
    .addColumn('currency', 'text', (c) => c.notNull().defaultTo('USD'))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()

  // An AI participant writes under an account of its own, which nobody can sign in to.
  await db.schema
    .createTable('personas')
    .addColumn('user_id', 'text', (c) => c.primaryKey().references('users.id'))
    .addColumn('handle', 'text', (c) => c.notNull().unique())
    .addColumn('description', 'text', (c) => c.notNull().defaultTo(''))
    // Null: as the program ships them for this handle.
    .addColumn('instructions', 'text')
    .addColumn('model_id', 'text', (c) => c.references('models.id').onDelete('set null'))
    .addColumn('askers', 'text', (c) =>
      c
        .notNull()
        .defaultTo('everyone')
        .check(sql`askers in ('everyone', 'members', 'moderators')`),
    )
    .addColumn('external', 'boolean', (c) => c.notNull().defaultTo(false))
    .addColumn('enabled', 'boolean', (c) => c.notNull().defaultTo(true))
    .addColumn('max_output_tokens', 'integer', (c) => c.notNull())
    .addColumn('context_tokens', 'integer', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull().defaultTo(1))
    .addColumn('position', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()

  await db.schema
    .createTable('runs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('persona_id', 'text', (c) => c.notNull().references('personas.user_id'))
    .addColumn('persona_version', 'integer', (c) => c.notNull())
    .addColumn('asker_id', 'text', (c) => c.references('users.id'))
    .addColumn('client_id', 'text')
    .addColumn('request', 'text')
    .addColumn('since', 'integer')
    .addColumn('external', 'boolean', (c) => c.notNull())
    .addColumn('model', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('offline', 'boolean', (c) => c.notNull().defaultTo(false))
    .addColumn('state', 'text', (c) =>
      c
        .notNull()
        .defaultTo('streaming')
        .check(sql`state in ('streaming', 'complete', 'stopped', 'interrupted', 'failed')`),
    )
    .addColumn('reason', 'text')
    .addColumn('stop_requested', 'boolean', (c) => c.notNull().defaultTo(false))
    // Who writes it. The epoch rises with each owner, so that one who was taken for dead cannot write any more.
    .addColumn('owner', 'text')
    .addColumn('epoch', 'integer', (c) => c.notNull().defaultTo(1))
    .addColumn('lease_until', 'timestamptz', (c) => c.notNull())
    // The text so far, and its length in UTF-16 units; emptied when the post has it.
    .addColumn('text', 'text', (c) => c.notNull().defaultTo(''))
    .addColumn('length', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('reasoning', 'text')
    .addColumn('manifest', 'jsonb')
    .addColumn('input_tokens', 'integer')
    .addColumn('output_tokens', 'integer')
    .addColumn('usage_estimated', 'boolean', (c) => c.notNull().defaultTo(true))
    .addColumn('cost', 'double precision')
    .addColumn('currency', 'text')
    // Tokens that are reserved for it, and the day that they were reserved on.
    .addColumn('reserved', 'integer', (c) => c.notNull())
    .addColumn('day', 'text', (c) => c.notNull())
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn('first_text_at', 'timestamptz')
    .addColumn('ended_at', 'timestamptz')
    .addForeignKeyConstraint('runs_post', ['thread_id', 'number'], 'posts', ['thread_id', 'number'], (c) =>
      c.onDelete('cascade'),
    )
    .addUniqueConstraint('runs_post_key', ['thread_id', 'number'])
    .addUniqueConstraint('runs_client_id', ['asker_id', 'thread_id', 'client_id'])
    .execute()
  await sql`create index runs_lease on runs (lease_until) where state = 'streaming'`.execute(db)
  await sql`create index runs_streaming on runs (thread_id) where state = 'streaming'`.execute(db)
  await sql`create index runs_persona on runs (persona_id)`.execute(db)

  // Tokens of a day, by what they are counted for: the site, a thread, a person.
  await db.schema
    .createTable('ai_budgets')
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('day', 'text', (c) => c.notNull())
    .addColumn('reserved', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('spent', 'bigint', (c) => c.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('ai_budgets_pkey', ['scope', 'day'])
    .execute()

  // Readable text of linked pages. `sections` is [{heading, text}].
  await db.schema
    .createTable('articles')
    .addColumn('url_hash', 'text', (c) => c.primaryKey())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('sections', 'jsonb', (c) => c.notNull())
    .addColumn('fetched_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['articles', 'ai_budgets', 'runs', 'personas', 'models']) {
    await db.schema.dropTable(table).execute()
  }
}
