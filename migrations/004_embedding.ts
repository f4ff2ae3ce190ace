import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('sites')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('origins', 'jsonb', (c) => c.notNull())
    .addColumn('rules', 'jsonb', (c) => c.notNull())
    .addColumn('defaults', 'jsonb', (c) => c.notNull())
    // Who writes the root posts of its pages' threads; nobody can sign in to it.
    .addColumn('author_id', 'text', (c) => c.notNull().references('users.id'))
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()

  await db.schema
    .createTable('site_keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('site_id', 'text', (c) => c.notNull().references('sites.id').onDelete('cascade'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('algorithm', 'text', (c) => c.notNull().check(sql`algorithm in ('HS256', 'EdDSA')`))
    // A secret is encrypted with a key that is made from the server's own; a public key is as it is.
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('created_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .execute()
  await db.schema.createIndex('site_keys_site').on('site_keys').column('site_id').execute()

  // People whom a site's own server vouches for.
  await db.schema
    .createTable('site_users')
    .addColumn('site_id', 'text', (c) => c.notNull().references('sites.id').onDelete('cascade'))
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('site_users_pkey', ['site_id', 'subject'])
    .execute()
  await db.schema.createIndex('site_users_user').on('site_users').column('user_id').execute()

  // Tokens of sites that were used, until they have run out.
  await db.schema
    .createTable('used_tokens')
    .addColumn('site_id', 'text', (c) => c.notNull().references('sites.id').onDelete('cascade'))
    .addColumn('token_id', 'text', (c) => c.notNull())
    .addColumn('used_at', 'timestamptz', (c) => c.notNull().defaultTo(sql`now()`))
    .addColumn('expires_at', 'timestamptz', (c) => c.notNull())
    .addPrimaryKeyConstraint('used_tokens_pkey', ['site_id', 'token_id'])
    .execute()
  await db.schema.createIndex('used_tokens_expiry').on('used_tokens').column('expires_at').execute()

  // A widget that waits for its reader to sign in in another window. Secrets and codes are hashed.
  await db.schema
    .createTable('sign_in_grants')
    .addColumn('challenge', 'text', (c) => c.primaryKey())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('code', 'text')
    .addColumn('user_id', 'text', (c) => c.references('users.id').onDelete('cascade'))
    .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('expires_at', 'timestamptz', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('sign_in_grants_expiry').on('sign_in_grants').column('expires_at').execute()

  await db.schema
    .alterTable('threads')
    .addColumn('site_id', 'text', (c) => c.references('sites.id').onDelete('set null'))
    // The page's address by the rules of its site.
    .addColumn('page_key', 'text')
    .execute()
  await db.schema
    .createIndex('threads_page')
    .on('threads')
    .columns(['site_id', 'page_key'])
    .unique()
    .execute()
  // A session that a widget holds names the site that it was made for.
  await db.schema
    .alterTable('sessions')
    .addColumn('site_id', 'text', (c) => c.references('sites.id').onDelete('cascade'))
    .execute()
  // Those of widgets hold for an hour and are not signed out of: what has run out is removed now and then.
  await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute()

  // What came from elsewhere, so that a second import brings nothing twice.
  await db.schema
    .createTable('imported_threads')
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('source_id', 'text', (c) => c.notNull())
    .addColumn('thread_id', 'text', (c) => c.notNull().references('threads.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('imported_threads_pkey', ['source', 'source_id'])
    .execute()
  await db.schema
    .createTable('imported_posts')
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('source_id', 'text', (c) => c.notNull())
    .addColumn('thread_id', 'text', (c) => c.notNull().references('threads.id').onDelete('cascade'))
    .addColumn('number', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('imported_posts_pkey', ['source', 'source_id'])
    .execute()
  await db.schema.createIndex('imported_posts_thread').on('imported_posts').column('thread_id').execute()
  await db.schema.createIndex('imported_threads_thread').on('imported_threads').column('thread_id').execute()
  // Whose account an author from elsewhere has here: one that stands for them until they claim it, then their own.
  await db.schema
    .createTable('placeholders')
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('source_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    // SHA-256 of the address in lower case, where the source tells one.
    .addColumn('email_hash', 'text')
    .addColumn('claim', 'text', (c) => c.unique())
    .addColumn('claim_expires_at', 'timestamptz')
    .addColumn('claimed_at', 'timestamptz')
    .addPrimaryKeyConstraint('placeholders_pkey', ['source', 'source_id'])
    .execute()
  await db.schema.createIndex('placeholders_user').on('placeholders').column('user_id').execute()
  await db.schema.createIndex('placeholders_email').on('placeholders').column('email_hash').execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of [
    'placeholders',
    'imported_posts',
    'imported_threads',
    'sign_in_grants',
    'used_tokens',
  ]) {
    await db.schema.dropTable(table).execute()
  }
  await db.schema.dropIndex('sessions_expiry').execute()
  await db.schema.alterTable('sessions').dropColumn('site_id').execute()
  await db.schema.dropIndex('threads_page').execute()
  await db.schema.alterTable('threads').dropColumn('page_key').dropColumn('site_id').execute()
  for (const table of ['site_users', 'site_keys', 'sites']) await db.schema.dropTable(table).execute()
}
