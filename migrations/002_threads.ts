import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('links')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull().check(sql`state in ('pending', 'found', 'missing')`))
    .addColumn('title', 'text')
    .addColumn('site', 'text')
    .addColumn('description', 'text')
    .addColumn('image_url', 'text')
    .addColumn('checked_at', 'timestamptz')
    .execute()
  await sql`create index links_pending on links (id) where state = 'pending'`.execute(db)

  await db.schema
    .createTable('threads')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('url', 'text')
    .addColumn('link_id', 'text', (c) => c.references('links.id'))
    .addColumn('locked', 'boolean', (c) => c.notNull().defaultTo(false))
    .addColumn('seq', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('info_seq', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('last_number', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('post_count', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn('last_activity_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()
  await sql`create index threads_activity on threads (last_activity_at desc, id desc)`.execute(db)
  await sql`create index threads_link on threads (link_id) where link_id is not null`.execute(db)

  await db.schema
    .createTable('posts')
    .addColumn('thread_id', 'text', (c) => c.notNull().references('threads.id').onDelete('cascade'))
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('parent', 'integer')
    .addColumn('author_id', 'text', (c) => c.notNull().references('users.id'))
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('html', 'text', (c) => c.notNull())
    .addColumn('excerpt', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) =>
      c
        .notNull()
        .check(sql`state in ('complete', 'streaming', 'interrupted', 'stopped', 'failed', 'deleted')`),
    )
    .addColumn('quote_number', 'integer')
    .addColumn('quote_text', 'text')
    .addColumn('client_id', 'text')
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn('edited_at', 'timestamptz')
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('body_seq', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('posts_pkey', ['thread_id', 'number'])
    .addForeignKeyConstraint('posts_parent', ['thread_id', 'parent'], 'posts', ['thread_id', 'number'])
    .addUniqueConstraint('posts_client_id', ['author_id', 'thread_id', 'client_id'])
    .execute()
  // Each seq stamps one row, so this index is unique: it also guards the rule.
  await sql`create unique index posts_seq on posts (thread_id, seq)`.execute(db)
  await sql`create index posts_quotes on posts (thread_id, quote_number) where quote_number is not null`.execute(
    db,
  )

  await db.schema
    .createTable('revisions')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('editor_id', 'text', (c) => c.notNull().references('users.id'))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint('revisions_pkey', ['thread_id', 'number', 'seq'])
    .addForeignKeyConstraint(
      'revisions_post',
      ['thread_id', 'number'],
      'posts',
      ['thread_id', 'number'],
      (c) => c.onDelete('cascade'),
    )
    .execute()

  await sql`create index revisions_editor on revisions (editor_id)`.execute(db)

  await db.schema
    .createTable('reactions')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('emoji', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addPrimaryKeyConstraint('reactions_pkey', ['thread_id', 'number', 'emoji', 'user_id'])
    .addForeignKeyConstraint(
      'reactions_post',
      ['thread_id', 'number'],
      'posts',
      ['thread_id', 'number'],
      (c) => c.onDelete('cascade'),
    )
    .execute()

  await sql`create index reactions_user on reactions (user_id)`.execute(db)

  await db.schema
    .createTable('post_embeds')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('link_id', 'text', (c) => c.references('links.id'))
    .addColumn('target_thread', 'text')
    .addColumn('target_number', 'integer')
    .addPrimaryKeyConstraint('post_embeds_pkey', ['thread_id', 'number', 'position'])
    .addForeignKeyConstraint(
      'post_embeds_post',
      ['thread_id', 'number'],
      'posts',
      ['thread_id', 'number'],
      (c) => c.onDelete('cascade'),
    )
    .addCheckConstraint('post_embeds_kind', sql`(link_id is null) <> (target_thread is null)`)
    .execute()
  await sql`create index post_embeds_link on post_embeds (link_id) where link_id is not null`.execute(db)
  await sql`create index post_embeds_target on post_embeds (target_thread, target_number) where target_thread is not null`.execute(
    db,
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['post_embeds', 'reactions', 'revisions', 'posts', 'threads', 'links']) {
    await db.schema.dropTable(table).execute()
  }
}
