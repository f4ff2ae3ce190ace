import { CompiledQuery, createQueryId, sql, type KyselyPlugin, type RootOperationNode } from 'kysely'
import { expect, test } from 'vitest'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { findEmbedders } from '../../server/store/content.ts'
import { findByClientId } from '../../server/store/insert.ts'
import { readChanges, readHeads, readLatest, readPost } from '../../server/store/read.ts'
import { streamingRuns } from '../../server/store/runs.ts'
import { createTogether } from '../../server/threads/together.ts'
import { getThreads } from '../../server/threads/threads.ts'
import { addUser, content, describeStores } from '../helpers/store.ts'

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  Plans?: Plan[]
}

/** Tables that grow with what people write; the others stay small, or are asked about as a whole. */
const large = new Set(['threads', 'posts', 'post_embeds', 'reactions', 'revisions', 'runs', 'users', 'links'])

/** Tables that a plan reads from one end to the other. */
function wholeTables(plan: Plan): string[] {
  const own =
    plan['Node Type'] === 'Seq Scan' && large.has(plan['Relation Name']!) ? [plan['Relation Name']!] : []
  return [...own, ...(plan.Plans ?? []).flatMap(wholeTables)]
}

describeStores('what is asked most', (store) => {
  test('is found by indexes, however much there is', async () => {
    const { db } = store
    await addUser(db, 'ada')
    await sql`insert into users (id, name, kind, role, email)
      select 'user-' || i, 'User ' || i, 'person', 'member', i || '@test.invalid' from generate_series(1, 3000) i`.execute(
      db,
    )
    await sql`insert into links (id, url, state)
      select 'link-' || i, 'https://test.invalid/' || i, 'found' from generate_series(1, 3000) i`.execute(db)
    await sql`insert into threads (id, title, seq, last_number, post_count, link_id)
      select 'thread' || lpad(i::text, 4, '0'), 'Thread', 20, 20, 20, 'link-' || i from generate_series(1, 1000) i`.execute(
      db,
    )
    await sql`insert into posts (thread_id, number, parent, author_id, body, html, excerpt, state, client_id, seq, body_seq)
      select t.id, i, nullif(1, i), 'user-' || (1 + (i * 7) % 3000), 'x', '<p>x</p>', 'x', 'complete', t.id || i, i, i
      from threads t, generate_series(1, 20) i`.execute(db)
    await sql`insert into personas (user_id, handle, max_output_tokens, context_tokens)
      values ('user-1', 'persona', 1, 1)`.execute(db)
    await sql`insert into runs (id, thread_id, number, persona_id, persona_version, asker_id, external, state, lease_until, reserved, day)
      select thread_id || number, thread_id, number, 'user-1', 1, author_id, false, 'complete', now(), 0, ''
      from posts where number > 15`.execute(db)
    await sql`insert into post_embeds (thread_id, number, position, target_thread, target_number)
      select thread_id, number, 0, thread_id, 1 from posts where number > 10`.execute(db)
    await sql`insert into reactions (thread_id, number, emoji, user_id)
      select thread_id, number, '👍', author_id from posts where number > 10`.execute(db)
    await sql`analyze`.execute(db)

    const asked: RootOperationNode[] = []
    const listener: KyselyPlugin = {
      transformQuery: ({ node }) => (asked.push(node), node),
      transformResult: async ({ result }) => result,
    }
    const heard = db.withPlugin(listener)
    const thread = 'thread0500'
    const together = createTogether({ db: heard, bus: createMemoryBus() })
    await together.look({ thread, number: 3 })
    await together.write({
      ...content('a reply', [{ thread, number: 2 }]),
      thread,
      parent: 3,
      authorId: 'ada',
      clientId: 'c',
      quote: { number: 2, text: 'x' },
    })
    await together.writePlain({
      ...content('a plain reply'),
      embeds: [],
      thread,
      parent: 3,
      authorId: 'ada',
      clientId: 'd',
      quote: null,
    })
    await findByClientId(heard, thread, 'ada', 'c')
    await readHeads(heard, [thread, 'thread0501'])
    await readLatest(heard, thread, 15, 200)
    await readChanges(heard, thread, 0)
    await readPost(heard, thread, 4)
    await findEmbedders(heard, { thread, number: 1 })
    await streamingRuns(heard, thread)
    await getThreads({ db: heard }, undefined)

    const whole: string[] = []
    for (const node of asked) {
      const { sql: text, parameters } = db.getExecutor().compileQuery(node, createQueryId())
      const explain = CompiledQuery.raw(`explain (format json) ${text}`, [...parameters])
      const { rows } = await db.executeQuery<{ 'QUERY PLAN': { Plan: Plan }[] }>(explain)
      const tables = wholeTables(rows[0]!['QUERY PLAN'][0]!.Plan)
      if (tables.length > 0) whole.push(`${tables.join()}: ${text.replace(/\s+/g, ' ')}`)
    }
    expect(asked.length).toBeGreaterThan(15)
    expect(whole).toEqual([])
  })
})
