import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { append, begin, finish } from '../../server/ai/agents.ts'
import { ask as askPersona, type AskParts } from '../../server/ai/ask.ts'
import { atOnceLimits } from '../../server/ai/limits.ts'
import { replyAndAsk } from '../../server/ai/mentions.ts'
import { createRunner, type Runner } from '../../server/ai/runner.ts'
import { today } from '../../server/store/budgets.ts'
import type { Actor } from '../../server/threads/access.ts'
import { remove } from '../../server/threads/posts.ts'
import { Problem } from '../../shared/errors.ts'
import type { Ask } from '../../shared/http.ts'
import { addAgent, addPersona, aiParts, speaker, type Speaker } from '../helpers/ai.ts'
import { addPost, addThread, addUser, describeStores, threadParts } from '../helpers/store.ts'

/** What one reply of the tests' persona reserves: what it may read, and what it may write. */
const perReply = 2_000 + 500
const daily = { site: 100 * perReply, thread: 50 * perReply, person: 4 * perReply, guest: 2 * perReply }
const atOnce = { site: 64, thread: 16, person: 8 }

describeStores('budgets for AI replies', (store) => {
  let model: Speaker
  let parts: AskParts
  let runner: Runner
  let gus: Actor
  let thread: string

  beforeEach(async () => {
    use()
    gus = await addUser(store.db, 'gus', { kind: 'guest', role: 'guest' })
    await addUser(store.db, 'ada')
    await addPersona(store.db, 'explain')
    thread = await addThread(store.db, 'ada')
  })
  afterEach(async () => {
    model.retire()
    await runner.drain()
  })

  function use(budgets: AskParts['budgets'] = { daily, atOnce }, offline = false): void {
    model = speaker({ offline })
    const ai = aiParts(threadParts(store.db), { model, budgets })
    runner = createRunner(ai)
    parts = { ...ai, runner, isDraining: () => false, admit: () => Promise.resolve() }
  }

  const ask = (actor = gus, more: Partial<Ask> = {}) =>
    askPersona(parts, actor, { thread, number: 1 }, { persona: 'explain', ...more })
  const codeOf = (asked: Promise<unknown>) =>
    asked.then(
      () => 'ok',
      (error: unknown) => (error instanceof Problem ? error.code : Promise.reject(error as Error)),
    )
  const budget = async (scope: string) =>
    await store.db
      .selectFrom('ai_budgets')
      .select(['reserved', 'spent'])
      .where('scope', '=', scope)
      .where('day', '=', today())
      .executeTakeFirst()
  const endAll = async () => {
    await vi.waitFor(async () => {
      model.end()
      const left = await store.db.selectFrom('runs').select('id').where('state', '=', 'streaming').execute()
      expect(left).toEqual([])
    })
  }

  test('hold for asks that come in the same moment', async () => {
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(ask())))
    expect(codes.filter((code) => code === 'ok')).toHaveLength(2)
    expect(codes.filter((code) => code === 'ai-budget')).toHaveLength(18)
    expect(await budget('person:gus')).toEqual({ reserved: 2 * perReply, spent: 0 })
    // What was refused has written nothing.
    const posts = await store.db
      .selectFrom('posts')
      .select('number')
      .where('thread_id', '=', thread)
      .execute()
    expect(posts).toHaveLength(3)
    const head = await store.db
      .selectFrom('threads')
      .select('seq')
      .where('id', '=', thread)
      .executeTakeFirst()
    expect(head?.seq).toBe(3)
  })

  test('give back what was reserved and not used, and keep what was', async () => {
    await ask()
    await vi.waitFor(() => expect(model.open).toBe(1))
    model.say('A few words.')
    await endAll()
    const left = (await budget('person:gus'))!
    expect(left.reserved).toBe(0)
    expect(left.spent).toBeGreaterThan(0)
    expect(left.spent).toBeLessThan(perReply)
    expect(await budget('site')).toEqual(left)
    expect(await budget(`thread:${thread}`)).toEqual(left)
    // Failures and stops are settled too, over and over, and never above the budget.
    let granted = 0
    for (let i = 0; i < 200; i++) {
      if ((await codeOf(ask(gus, { request: 'again' }))) !== 'ok') break
      granted++
      await vi.waitFor(() => expect(model.open).toBe(1))
      model.say('word '.repeat(300))
      await endAll()
    }
    expect(granted).toBeGreaterThan(1)
    const spent = (await budget('person:gus'))!
    expect(spent.reserved).toBe(0)
    expect(spent.spent).toBeLessThanOrEqual(daily.guest)
    expect(await codeOf(ask())).toBe('ai-budget')
  })

  test('count a request that is sent again once', async () => {
    const asked = Array.from({ length: 10 }, () => codeOf(ask(gus, { clientId: 'same' })))
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['ok']))
    expect(await budget('person:gus')).toEqual({ reserved: perReply, spent: 0 })
  })

  test('hold for mentions, which the post survives', async () => {
    for (const handle of ['check', 'compare']) await addPersona(store.db, handle)
    const body = '@explain @check @compare what do you say? @nobody'
    const { post, asked } = await replyAndAsk(parts, gus, thread, { parent: 1, body, clientId: 'm1' })
    expect(post.state).toBe('complete')
    expect(asked?.map(({ persona, code }) => [persona, code ?? 'ok'])).toEqual([
      ['explain', 'ok'],
      ['check', 'ok'],
      ['compare', 'ai-budget'],
    ])
    // Sent again, it asks nobody again; nor with other names in it, since the post is the first one.
    await replyAndAsk(parts, gus, thread, { parent: 1, body, clientId: 'm1' })
    const ben = await addUser(store.db, 'ben')
    await replyAndAsk(parts, ben, thread, { parent: 1, body: 'Hello', clientId: 'm2' })
    const other = await replyAndAsk(parts, ben, thread, { parent: 1, body: '@explain?', clientId: 'm2' })
    expect(other.asked).toBeUndefined()
    expect(model.begun).toBeLessThanOrEqual(2)
    expect(await budget('person:gus')).toEqual({ reserved: 2 * perReply, spent: 0 })
  })

  test('bound a thread and the site over all who ask', async () => {
    use({ daily: { ...daily, thread: perReply, site: 2 * perReply }, atOnce })
    const [ben, cia] = [await addUser(store.db, 'ben'), await addUser(store.db, 'cia')]
    expect(await codeOf(ask(ben))).toBe('ok')
    expect(await codeOf(ask(cia))).toBe('ai-budget')
    thread = await addThread(store.db, 'ada')
    expect(await codeOf(ask(cia))).toBe('ok')
    thread = await addThread(store.db, 'ada')
    expect(await codeOf(ask(ben))).toBe('ai-budget')
  })

  test('let only so many be written at a time', async () => {
    use({ daily: { ...daily, person: 1e9, thread: 1e9 }, atOnce: { site: 64, thread: 5, person: 3 } })
    const [ben, cia] = [await addUser(store.db, 'ben'), await addUser(store.db, 'cia')]
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(ask(ben))))
    expect(codes.filter((code) => code === 'ok')).toHaveLength(3)
    expect(codes.filter((code) => code === 'ai-busy')).toHaveLength(5)
    const others = await Promise.all(Array.from({ length: 8 }, () => codeOf(ask(cia))))
    expect(others.filter((code) => code === 'ok')).toHaveLength(2)
    await endAll()
    expect(await codeOf(ask(ben))).toBe('ok')
  })

  test('leave half of the places to people with an account', async () => {
    use({
      daily: { ...daily, guest: 1e9, thread: 1e9, site: 1e9 },
      atOnce: { site: 9, thread: 4, person: 8 },
    })
    const guests = await Promise.all(
      Array.from({ length: 6 }, (_, n) => addUser(store.db, `g${n}`, { kind: 'guest', role: 'guest' })),
    )
    const [ada] = [{ id: 'ada', name: 'ada', kind: 'person', role: 'member' } satisfies Actor]
    const codes = await Promise.all(guests.slice(0, 3).map((guest) => codeOf(ask(guest))))
    expect(codes.toSorted()).toEqual(['ai-busy', 'ok', 'ok'])
    expect(await codeOf(ask(ada))).toBe('ok')
    // The same of the site, over all threads.
    for (const expected of ['ok', 'ok', 'ok', 'ai-busy']) {
      thread = await addThread(store.db, 'ada')
      expect(await codeOf(ask(guests[3]))).toBe(expected)
    }
    expect(await codeOf(ask(ada))).toBe('ok')
    await endAll()
    expect(await codeOf(ask(guests[3]))).toBe('ok')
  })

  test('leave half of the tokens to people with an account', async () => {
    use({ daily: { ...daily, guest: 1e9, thread: 4 * perReply, site: 6 * perReply }, atOnce })
    const ben = await addUser(store.db, 'ben')
    const three = async (actor: Actor) => [
      await codeOf(ask(actor)),
      await codeOf(ask(actor)),
      await codeOf(ask(actor)),
    ]
    expect(await three(gus)).toEqual(['ok', 'ok', 'ai-budget'])
    const first = thread
    thread = await addThread(store.db, 'ada')
    expect(await three(gus)).toEqual(['ok', 'ai-budget', 'ai-budget'])
    expect(await budget('guests')).toEqual({ reserved: 3 * perReply, spent: 0 })
    expect(await three(ben)).toEqual(['ok', 'ok', 'ok'])
    await endAll()
    const spent = (await budget('guests'))!
    expect(spent.reserved).toBe(0)
    // What people with an account took is not among it.
    expect(spent.spent).toBe((await budget('person:gus'))!.spent)
    expect(spent.spent).toBeGreaterThan((await budget(`guests:${first}`))!.spent)
  })

  test('let all guests of an address have some at a time, however many they are', async () => {
    use({ daily: { site: 1e9, thread: 1e9, person: 1e9, guest: 1e9 }, atOnce })
    const from = (address: string) => (parts = { ...parts, address })
    const guests = await Promise.all(
      Array.from({ length: 8 }, (_, n) => addUser(store.db, `g${n}`, { kind: 'guest', role: 'guest' })),
    )
    from('192.0.2.1')
    const { guestAddress } = atOnceLimits
    const all = async () => {
      const codes = await Promise.all(guests.map((guest) => codeOf(ask(guest))))
      expect(codes.filter((code) => code === 'ok')).toHaveLength(guestAddress)
      expect(codes.filter((code) => code === 'ai-busy')).toHaveLength(guests.length - guestAddress)
    }
    const idle = async () => {
      await endAll()
      await vi.waitFor(async () => expect((await parts.metrics.writing.get()).values[0]?.value).toBe(0))
    }
    await all()
    // Others are not concerned, nor people with an account.
    const ben = await addUser(store.db, 'ben')
    expect(await codeOf(ask(ben))).toBe('ok')
    from('192.0.2.2')
    expect(await codeOf(ask(guests[0]))).toBe('ok')
    from('192.0.2.1')
    // One that ends makes room, and so does one that came to nothing.
    await idle()
    const find = vi.spyOn(parts.models, 'find')
    for (const guest of guests) {
      find.mockRejectedValueOnce(new Problem('unavailable'))
      expect(await codeOf(ask(guest))).toBe('unavailable')
    }
    await all()
    await idle()
  })

  test('count nothing for what costs nothing, but let it wait its turn', async () => {
    use(
      { daily: { site: 0, thread: 0, person: 0, guest: 0 }, atOnce: { site: 64, thread: 16, person: 2 } },
      true,
    )
    const codes = await Promise.all([codeOf(ask()), codeOf(ask()), codeOf(ask())])
    expect(codes.toSorted()).toEqual(['ai-busy', 'ok', 'ok'])
    await endAll()
    expect(await budget('person:gus')).toEqual({ reserved: 0, spent: 0 })
  })

  test('are settled for a reply that is deleted while it is written', async () => {
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const { number } = await ask()
    await remove(parts, mod, { thread, number })
    expect((await budget('person:gus'))?.reserved).toBe(0)
    expect((await budget('site'))?.reserved).toBe(0)
  })

  test('end a talk of AI participants among themselves', async () => {
    use({ daily: { ...daily, person: 1e9, thread: 1e9, site: 1e9 }, atOnce })
    await addAgent(store.db, 'bot')
    const bot: Actor = { id: 'bot', name: 'bot', kind: 'ai', role: 'member' }
    let number = 1
    const codes: string[] = []
    // The agent answers a persona that answers the agent that answers a persona …
    for (let i = 0; i < 8; i++) {
      const at = { thread, number }
      const asked =
        i % 2 === 0
          ? begin(parts, bot, thread, { parent: number, state: 'streaming', clientId: `b${i}` })
          : askPersona(parts, bot, at, { persona: 'explain' })
      const code = await codeOf(asked)
      codes.push(code)
      if (code !== 'ok') break
      const post = await asked
      if (i % 2 === 0) {
        await append(
          parts,
          bot,
          { thread, number: post.number },
          { run: post.run!, at: 0, text: '@explain more!' },
        )
        await finish(parts, bot, { thread, number: post.number }, { run: post.run!, state: 'complete' })
      } else {
        await vi.waitFor(() => expect(model.open).toBe(1))
        model.say('@bot @explain more!')
        await endAll()
      }
      number = post.number
    }
    expect(codes).toEqual(['ok', 'ok', 'ok', 'ok', 'ai-loop'])
    // What models and agents write names nobody: only those that were asked have written.
    expect(model.begun).toBe(2)
    // By a plain post as well.
    const mentioned = replyAndAsk(parts, bot, thread, {
      parent: number,
      body: '@explain more!',
      clientId: 'b9',
    })
    expect(await codeOf(mentioned)).toBe('ai-loop')
    // A person may go on, and then they may too.
    const person = await addPost(store.db, thread, 'ada', 'Go on', { parent: number })
    expect(
      await codeOf(begin(parts, bot, thread, { parent: person.number, state: 'streaming', clientId: 'b10' })),
    ).toBe('ok')
  })
})
