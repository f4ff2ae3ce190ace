import { describe, expect, test, vi } from 'vitest'
import { siteLimits } from '../../server/embedding/limits.ts'
import { createSiteKeys, type SiteKeys } from '../../server/embedding/site-keys.ts'
import { createSites } from '../../server/embedding/sites.ts'
import type { Db } from '../../server/store/database.ts'
import { seal, unseal } from '../../server/store/seal.ts'
import { countSiteThreads, deleteSite, insertSite, listSites, updateSite } from '../../server/store/sites.ts'
import { createLog } from '../../server/log.ts'
import { newThreadId } from '../../server/threads/ids.ts'
import { addSite, type NewSite } from '../../shared/site.ts'
import { describePostgres, describeStores } from '../helpers/store.ts'

const input = (more: Partial<NewSite> = {}): NewSite => ({
  ...addSite.parse({ name: 'Blog', origins: ['https://blog.example'] }),
  ...more,
})

async function add(db: Db, more: Partial<NewSite> = {}): Promise<string> {
  const id = newThreadId()
  await insertSite(db, id, input(more))
  return id
}

describeStores('sites', (store) => {
  test('are there with what was said of them, and an author whom nobody can sign in as', async () => {
    const id = await add(store.db)
    const [row] = await listSites(store.db)
    expect(row).toMatchObject({ ...input(), id, keys: 0 })
    const author = await store.db.selectFrom('users').selectAll().where('id', '=', row!.author_id).execute()
    expect(author).toMatchObject([
      { name: 'Blog', kind: 'person', role: 'member', email: `site-${id}@sites.invalid` },
    ])
  })

  test('change in what is given, and their author is called as they are', async () => {
    const id = await add(store.db)
    const rules = { ...input().rules, keep: ['id'] }
    expect(await updateSite(store.db, id, { rules })).toBe(true)
    expect(await updateSite(store.db, id, { name: 'News' })).toBe(true)
    const [row] = await listSites(store.db)
    expect(row).toMatchObject({ ...input(), name: 'News', rules })
    const users = await store.db.selectFrom('users').select('name').execute()
    expect(users).toEqual([{ name: 'News' }])
    expect(await updateSite(store.db, id, {})).toBe(true)
    expect(await updateSite(store.db, newThreadId(), { name: 'x' })).toBe(false)
  })

  test('an origin belongs to one of them', async () => {
    const first = await add(store.db, { origins: ['https://a.example', 'https://*.a.example'] })
    const taken = {
      code: 'origin-taken',
      issues: [{ path: '/origins', message: 'https://*.a.example belongs to the site “Blog”' }],
    }
    await expect(
      add(store.db, { origins: ['https://b.example', 'https://*.a.example'] }),
    ).rejects.toMatchObject(taken)
    expect(await listSites(store.db)).toHaveLength(1)
    expect(await store.db.selectFrom('users').select('id').execute()).toHaveLength(1)
    const second = await add(store.db, { origins: ['https://b.example'] })
    const change = updateSite(store.db, second, { name: 'B', origins: ['https://*.a.example'] })
    await expect(change).rejects.toMatchObject(taken)
    expect((await listSites(store.db))[1]).toMatchObject({ name: 'Blog', origins: ['https://b.example'] })
    // One's own is not taken, and what is left free can be had.
    await updateSite(store.db, first, { origins: ['https://a.example'] })
    await updateSite(store.db, first, { origins: ['https://a.example'] })
    expect(await updateSite(store.db, second, { origins: ['https://*.a.example'] })).toBe(true)
  })

  test('go, and what was written in their threads stays', async () => {
    const id = await add(store.db)
    const [row] = await listSites(store.db)
    const thread = newThreadId()
    await store.db
      .insertInto('threads')
      .values({ id: thread, title: 't', url: null, link_id: null, site_id: id, page_key: 'blog.example/a' })
      .execute()
    expect(await countSiteThreads(store.db)).toEqual(new Map([[id, 1]]))
    expect(await deleteSite(store.db, id)).toBe(true)
    expect(await deleteSite(store.db, id)).toBe(false)
    expect(await listSites(store.db)).toEqual([])
    const left = await store.db.selectFrom('threads').select(['site_id', 'page_key']).execute()
    expect(left).toEqual([{ site_id: null, page_key: 'blog.example/a' }])
    const author = store.db.selectFrom('users').select('name').where('id', '=', row!.author_id)
    expect(await author.execute()).toEqual([{ name: 'Blog' }])
    // The address of a page is free again.
    await add(store.db)
  })
})

describePostgres('sites at the same time', (store) => {
  test('of many that want an origin, one gets it', async () => {
    const [, ...others] = await Promise.all(
      [0, 1, 2, 3].map((n) => add(store.db, { origins: [`https://${n}.example`] })),
    )
    const wants = Array.from({ length: 8 }, (_, n) => [`https://x${n}.example`, 'https://wanted.example'])
    const tries = [
      ...wants.map((origins) => add(store.db, { origins })),
      ...others.map((id, n) => updateSite(store.db, id, { origins: wants[n]!.toReversed() })),
    ]
    const outcomes = await Promise.allSettled(tries)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'origin-taken' })
    }
    const origins = (await listSites(store.db)).flatMap((row) => row.origins)
    expect(new Set(origins).size).toBe(origins.length)
  })
})

describeStores('the directory of sites', (store) => {
  test('finds the site of an origin: the exact one first, then the longest wildcard', async () => {
    const wide = await add(store.db, { origins: ['https://*.example'] })
    const narrow = await add(store.db, { origins: ['https://*.blogs.example'] })
    const exact = await add(store.db, {
      origins: ['https://ada.blogs.example', 'http://ada.blogs.example:81'],
    })
    const sites = createSites(store)
    const siteOf = async (origin: string) => (await sites.byOrigin(origin))?.id
    expect(await siteOf('https://ada.blogs.example')).toBe(exact)
    expect(await siteOf('http://ada.blogs.example:81')).toBe(exact)
    expect(await siteOf('https://bob.blogs.example')).toBe(narrow)
    expect(await siteOf('https://a.b.blogs.example')).toBe(narrow)
    expect(await siteOf('https://blogs.example')).toBe(wide)
    for (const none of [
      'https://example',
      'http://bob.blogs.example',
      'https://blogs.example.evil.com',
      'null',
      '',
    ]) {
      expect(await siteOf(none), none).toBeUndefined()
    }
    expect((await sites.find(wide))?.origins).toEqual(['https://*.example'])
    expect(await sites.find('gone')).toBeUndefined()
    expect((await sites.origins()).toSorted()).toEqual(
      [
        'https://*.blogs.example',
        'https://*.example',
        'https://ada.blogs.example',
        'http://ada.blogs.example:81',
      ].toSorted(),
    )
  })

  test('asks the database once in a while, and at once after it was told to forget', async () => {
    const time = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const reads = vi.spyOn(store.db, 'selectFrom')
    const sites = createSites(store)
    const origin = 'https://blog.example'
    await Promise.all([sites.byOrigin(origin), sites.origins(), sites.find('x'), sites.byOrigin(origin)])
    expect(reads).toHaveBeenCalledTimes(1)
    const id = await add(store.db)
    reads.mockClear()
    expect(await sites.byOrigin(origin)).toBeUndefined()
    time.mockReturnValue(1_000 + siteLimits.cacheMs - 1)
    expect(await sites.byOrigin(origin)).toBeUndefined()
    expect(reads).toHaveBeenCalledTimes(0)
    time.mockReturnValue(1_000 + siteLimits.cacheMs)
    expect(await sites.byOrigin(origin)).toMatchObject({ id, keys: 0, authorId: `site-${id}` })
    await deleteSite(store.db, id)
    expect(await sites.byOrigin(origin)).toMatchObject({ id })
    sites.forget()
    expect(await sites.byOrigin(origin)).toBeUndefined()
  })

  test('a failure is nothing to remember', async () => {
    const id = await add(store.db)
    const sites = createSites(store)
    const fail = vi.spyOn(store.db, 'selectFrom').mockImplementation(() => {
      throw new Error('away')
    })
    await expect(sites.find(id)).rejects.toThrow('away')
    fail.mockRestore()
    expect(await sites.find(id)).toMatchObject({ id })
  })
})

describeStores('keys of sites', (store) => {
  const keysWith = (secret = 'the secret of this server'): SiteKeys =>
    createSiteKeys({ db: store.db, secret, log: createLog('silent') })

  test('a secret is made, told once, and stored so that only this server can read it', async () => {
    const site = await add(store.db)
    const { row, secret } = await keysWith().add(site, { algorithm: 'HS256', name: 'main' })
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(row).toMatchObject({ site_id: site, name: 'main', algorithm: 'HS256' })
    expect(row.key).not.toContain(secret)
    // Whoever signs with the text of it is understood.
    expect(await keysWith().of(site)).toEqual([{ id: row.id, algorithm: 'HS256', key: Buffer.from(secret!) }])
    expect(await keysWith('another secret').of(site)).toEqual([])
    const moved = (await keysWith().add(site, { algorithm: 'HS256', name: 'other' })).row
    await store.db.updateTable('site_keys').set({ key: row.key }).where('id', '=', moved.id).execute()
    expect((await keysWith().of(site)).map(({ id }) => id)).toEqual([row.id])
  })

  test('belong to their site, and can be revoked', async () => {
    const [one, two] = [await add(store.db), await add(store.db, { origins: ['https://two.example'] })]
    const keys = keysWith()
    const { row } = await keys.add(one, { algorithm: 'HS256', name: 'main' })
    expect(await keys.of(two)).toEqual([])
    expect(await keys.remove(two, row.id)).toBe(false)
    expect((await listSites(store.db)).map((each) => each.keys)).toEqual([1, 0])
    expect(await keys.remove(one, row.id)).toBe(true)
    expect(await keys.remove(one, row.id)).toBe(false)
    expect(await keys.of(one)).toEqual([])
    await expect(keys.add(newThreadId(), { algorithm: 'HS256', name: 'x' })).rejects.toMatchObject({
      code: 'site-not-found',
    })
  })

  test('are so many and no more', async () => {
    const site = await add(store.db)
    const keys = keysWith()
    const tries = Array.from({ length: siteLimits.keys + 2 }, (_, n) =>
      keys.add(site, { algorithm: 'HS256', name: `key ${n}` }),
    )
    const outcomes = await Promise.allSettled(tries)
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused).toMatchObject([{ reason: { code: 'invalid' } }, { reason: { code: 'invalid' } }])
    expect(await keys.of(site)).toHaveLength(siteLimits.keys)
  })
})

describe('what is sealed', () => {
  test('opens for its purpose, its row and its secret alone', () => {
    const it = { purpose: 'tests', id: 'a' }
    const sealed = seal('secret', it, 'text 🌱')
    expect(unseal('secret', it, sealed)).toBe('text 🌱')
    expect(unseal('secret', { ...it, id: 'b' }, sealed)).toBeUndefined()
    expect(unseal('secret', { ...it, purpose: 'others' }, sealed)).toBeUndefined()
    expect(unseal('Secret', it, sealed)).toBeUndefined()
  })

  test('is read in years to come', () => {
    const sealed = 'v1.1RfDmRLaoqa2HNQgP54schp9KnkqD9XPSHsYHD1GUgc'
    expect(unseal('secret', { purpose: 'numinex model keys', id: 'm1' }, sealed)).toBe('sk-1')
  })
})
