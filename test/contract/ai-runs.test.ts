import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { append, begin } from '../../server/ai/agents.ts'
import { ask as askPersona, type AskParts } from '../../server/ai/ask.ts'
import { ModelError } from '../../server/ai/model.ts'
import type { AiParts } from '../../server/ai/parts.ts'
import { reportRun } from '../../server/ai/report.ts'
import { createRunner, type Runner } from '../../server/ai/runner.ts'
import { stop } from '../../server/ai/stop.ts'
import { topics } from '../../server/bus/bus.ts'
import { decodeThreadMessages } from '../../server/bus/messages.ts'
import { erasePost } from '../../server/store/posts.ts'
import { findRun } from '../../server/store/runs.ts'
import { readBody, readPost } from '../../server/store/read.ts'
import type { Actor } from '../../server/threads/access.ts'
import { edit, remove } from '../../server/threads/posts.ts'
import type { Ask } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { addAgent, addPersona, aiParts, speaker, type Speaker } from '../helpers/ai.ts'
import { addPost, addThread, addUser, describeStores, threadParts } from '../helpers/store.ts'

describeStores('AI replies', (store) => {
  let model: Speaker
  let parts: AiParts
  let runner: Runner
  let ada: Actor
  let thread: string
  let said: { at: number; text: string; epoch: number }[]

  beforeEach(async () => {
    model = speaker({ price: { input: 1, output: 2, currency: 'USD' } })
    parts = aiParts(threadParts(store.db), { model, node: 'one' })
    runner = createRunner(parts)
    ada = await addUser(store.db, 'ada')
    await addPersona(store.db, 'explain')
    thread = await addThread(store.db, 'ada', 'What is *this*?')
    said = await listen(parts)
  })
  afterEach(async () => {
    model.retire()
    await runner.drain()
    await parts.bus.close()
  })

  async function listen({ bus }: AiParts) {
    const heard: { at: number; text: string; epoch: number }[] = []
    await bus.subscribe(thread, (text) => {
      const message = decodeThreadMessages(text)[0]
      if (message?.kind !== 'delta') return
      heard.push({
        at: message.at,
        epoch: message.epoch,
        text: (JSON.parse(message.line) as { text: string }).text,
      })
    })
    return heard
  }

  const asking = (more: Partial<AskParts> = {}): AskParts => ({
    ...parts,
    runner,
    isDraining: () => false,
    admit: () => Promise.resolve(),
    ...more,
  })
  const ask = (input: Partial<Ask> = {}, actor = ada, at = 1) =>
    askPersona(asking(), actor, { thread, number: at }, { persona: 'explain', ...input })
  const now = async ({ number }: Post) => (await readPost(store.db, thread, number))!
  const begun = (count = 1) => vi.waitFor(() => expect(model.begun).toBe(count))
  const becomes = (post: Post, state: Post['state']) =>
    vi.waitFor(async () => expect((await now(post)).state).toBe(state), { timeout: 10_000 })
  const shown = () => said.map(({ text }) => text).join('')
  const abandon = () => sql`update runs set lease_until = now() - interval '1 second'`.execute(store.db)
  /** Another process on the same database and bus. */
  const another = (node = 'two') => createRunner({ ...parts, node })

  test('are posts that stream, then stand with their text', async () => {
    const post = await ask({ request: 'in short' })
    expect(post).toMatchObject({ number: 2, parent: 1, state: 'streaming', html: '', request: 'in short' })
    expect(post.author).toMatchObject({ id: 'ai-explain', kind: 'ai' })
    expect(post.asker).toMatchObject({ id: 'ada' })
    await begun()
    model.say('Hello ')
    await vi.waitFor(() => expect(shown()).toBe('Hello '))
    expect(await parts.liveText.read(post.run!)).toBe('Hello ')
    model.say('*there* 🌳')
    await vi.waitFor(() => expect(shown()).toBe('Hello *there* 🌳'))
    model.end()
    await becomes(post, 'complete')
    const done = await now(post)
    expect(done.html).toBe('<p>Hello <em>there</em> 🌳</p>\n')
    expect(done.seq).toBe(3)
    expect(await readBody(store.db, thread, 2)).toBe('Hello *there* 🌳')
    expect(await parts.liveText.read(post.run!)).toBe('')
    const report = await reportRun(store.db, { thread, number: 2 })
    expect(report).toMatchObject({
      state: 'complete',
      persona: { handle: 'explain', version: 1 },
      model: 'speaker',
      usage: { estimated: true },
      length: 16,
      request: 'in short',
    })
    expect(report.manifest?.pieces[0]).toMatchObject({ kind: 'post', number: 1, why: 'asked' })
    expect(report.cost?.currency).toBe('USD')
    expect(report.cost?.amount).toBeGreaterThan(0)
    expect(report.firstTextMs).not.toBeNull()
  })

  test('begin once for a request that is sent again, also at the same time', async () => {
    const [a, b] = await Promise.all([ask({ clientId: 'c1' }), ask({ clientId: 'c1' })])
    expect(a!.number).toBe(b!.number)
    await begun()
    model.say('x')
    model.end()
    await becomes(a!, 'complete')
    expect(await ask({ clientId: 'c1' })).toMatchObject({ number: a!.number, state: 'complete' })
    expect(model.begun).toBe(1)
  })

  test('keep their text when they are stopped, by who asked or by a moderator', async () => {
    const eve = await addUser(store.db, 'eve')
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    for (const who of [ada, mod]) {
      const post = await ask()
      const at = { thread, number: post.number }
      await vi.waitFor(() => expect(model.open).toBe(1))
      model.say('So far')
      await vi.waitFor(async () => expect(await parts.liveText.read(post.run!)).toBe('So far'))
      await expect(stop(parts, eve, at, { run: post.run! })).rejects.toMatchObject({ code: 'forbidden' })
      await expect(stop(parts, null, at, { run: post.run! })).rejects.toMatchObject({
        code: 'sign-in-required',
      })
      await expect(stop(parts, who, at, { run: 'another' })).rejects.toMatchObject({ code: 'run-not-found' })
      await stop(parts, who, at, { run: post.run! })
      await becomes(post, 'stopped')
      expect((await now(post)).html).toBe('<p>So far</p>\n')
      expect(model.open).toBe(0)
      // A stale button does no harm.
      expect(await stop(parts, who, at, { run: post.run! })).toMatchObject({ state: 'stopped' })
    }
  })

  test('are told of though they could not be counted', async () => {
    vi.spyOn(parts.metrics.tokens, 'inc').mockImplementation(() => {
      throw new Error('no such count')
    })
    const changed: string[] = []
    await parts.bus.subscribe(thread, (text) => {
      const message = decodeThreadMessages(text)[0]
      if (message?.kind === 'change') changed.push(message.line)
    })
    await ask()
    await begun()
    model.say('Hello')
    model.end()
    await vi.waitFor(() => expect(changed.at(-1)).toContain('<p>Hello</p>'))
  })

  test('keep no more of what a model thinks aloud than they may', async () => {
    const post = await ask()
    await begun()
    for (let i = 0; i < 30; i++) model.think('🌳'.repeat(1_500))
    model.say('Hello')
    model.end()
    await becomes(post, 'complete')
    const { reasoning } = await reportRun(store.db, { thread, number: post.number })
    expect(reasoning).toBe('🌳'.repeat(20_000))
  })

  test('are stopped though the word for it is lost', async () => {
    const post = await ask()
    await begun()
    await store.db.updateTable('runs').set({ stop_requested: true }).execute()
    await becomes(post, 'stopped')
  })

  test('say why they failed, and keep what was written', async () => {
    const [failed, broken] = [await ask(), undefined]
    await begun()
    model.end(new ModelError('auth', 'The key is wrong.'))
    await becomes(failed, 'failed')
    expect(await now(failed)).toMatchObject({ html: '', reason: 'The key is wrong.' })
    const post = broken ?? (await ask())
    await begun(2)
    model.say('Half a')
    await vi.waitFor(() => expect(shown()).toBe('Half a'))
    model.end(new ModelError('broken', 'It broke off.'))
    await becomes(post, 'interrupted')
    expect(await now(post)).toMatchObject({ html: '<p>Half a</p>\n', reason: 'It broke off.' })
    const empty = await ask()
    await begun(3)
    model.end()
    await becomes(empty, 'failed')
  })

  test('that nobody works on any more are interrupted with their text', async () => {
    const post = await ask()
    await begun()
    model.say('Half a')
    await vi.waitFor(() => expect(shown()).toBe('Half a'))
    await abandon()
    await another().sweep()
    await becomes(post, 'interrupted')
    expect((await now(post)).html).toBe('<p>Half a</p>\n')
    // The old writer wakes up: it finds out, and writes nothing.
    model.say(' loaf')
    await vi.waitFor(() => expect(model.open).toBe(0), { timeout: 5_000 })
    expect((await now(post)).html).toBe('<p>Half a</p>\n')
  })

  test('that have shown nothing yet are taken over, a few times', async () => {
    const post = await ask()
    await begun()
    const others: Runner[] = []
    for (let i = 2; i <= 4; i++) {
      await abandon()
      const other = another(`node ${i}`)
      others.push(other)
      await other.sweep()
      if (i < 4) await begun(i)
    }
    await becomes(post, 'failed')
    expect(await now(post)).toMatchObject({ reason: 'The server that wrote it is gone.' })
    await vi.waitFor(() => expect(model.open).toBe(0), { timeout: 5_000 })

    const again = await ask()
    await begun(4)
    await abandon()
    const other = another()
    await other.sweep()
    await begun(5)
    // The first writer learns that it is not its any more before it may say anything.
    await vi.waitFor(() => expect(model.open).toBe(1), { timeout: 5_000 })
    model.say('By the other')
    model.end()
    await becomes(again, 'complete')
    expect((await now(again)).html).toBe('<p>By the other</p>\n')
    expect(said.every(({ epoch }) => epoch === 2)).toBe(true)
  })

  test('are taken up by one of many who look at the same moment', async () => {
    const post = await ask()
    await begun()
    await abandon()
    await Promise.all(['a', 'b', 'c', 'd'].map((node) => another(node).sweep()))
    await begun(2)
    expect((await findRun(store.db, thread, post.number))?.epoch).toBe(2)
    model.say('x')
    model.end()
    await becomes(post, 'complete')
    expect(model.begun).toBe(2)
  })

  test('end with the post that is deleted, and nothing of them stays', async () => {
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const post = await ask({ request: 'a secret' })
    await begun()
    model.say('Unwanted')
    await vi.waitFor(() => expect(shown()).toBe('Unwanted'))
    // Still to be told when the post is gone.
    model.say(' and more')
    const deleted = await remove(parts, mod, { thread, number: post.number })
    expect(deleted).toMatchObject({ state: 'deleted', html: '' })
    expect(deleted.request).toBeUndefined()
    await vi.waitFor(() => expect(model.open).toBe(0), { timeout: 5_000 })
    expect(await now(post)).toMatchObject({ state: 'deleted', html: '' })
    const run = await findRun(store.db, thread, post.number)
    expect(run).toMatchObject({ text: '', request: null, manifest: null, reasoning: null })
    await expect(reportRun(store.db, { thread, number: post.number })).rejects.toMatchObject({
      code: 'run-not-found',
    })
    await vi.waitFor(async () => expect((await parts.metrics.writing.get()).values[0]?.value).toBe(0))
    expect(await parts.liveText.read(post.run!)).toBe('')
  })

  test('end at once with the post that is deleted, wherever they are written', async () => {
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const stopped: string[] = []
    await parts.bus.subscribe(topics.stops, (run) => stopped.push(run))
    await addAgent(store.db, 'bot')
    const bot: Actor = { id: 'bot', name: 'bot', kind: 'ai', role: 'member' }
    const post = await begin(parts, bot, thread, { parent: 1, state: 'streaming', clientId: 'b1' })
    const at = { thread, number: post.number }
    await append(parts, bot, at, { run: post.run!, at: 0, text: 'Unwanted' })
    expect(await parts.liveText.read(post.run!)).toBe('Unwanted')
    await remove(parts, mod, at)
    expect(await parts.liveText.read(post.run!)).toBe('')
    expect(stopped).toEqual([post.run])
  })

  test('leave no text behind when the word of their deletion is lost', async () => {
    const post = await ask()
    await begun()
    model.say('Unwanted')
    await vi.waitFor(() => expect(shown()).toBe('Unwanted'))
    await erasePost(store.db, { thread, number: post.number })
    await vi.waitFor(() => expect(model.open).toBe(0), { timeout: 5_000 })
    await vi.waitFor(async () => expect(await parts.liveText.read(post.run!)).toBe(''))
  })

  describe('that read a post which is deleted', () => {
    const regretted = 'The walrus has tusks of the finest ivory that I ever saw.'
    let other: string
    beforeEach(async () => {
      other = await addThread(store.db, 'ada', regretted)
      await addPost(store.db, thread, 'ada', regretted)
      await addPost(store.db, thread, 'ada', 'What of it?', { embeds: [{ thread: other, number: 1 }] })
    })

    async function reply() {
      const post = await ask({}, ada, 3)
      await vi.waitFor(() => expect(model.open).toBe(1))
      const read = model.asked.at(-1)!.pieces.filter(({ text }) => text === regretted)
      expect(read).toMatchObject([
        { thread: other, number: 1 },
        { thread, number: 2 },
      ])
      model.think('Ivory!')
      model.say(`See [#2]: “${regretted}” And [#3].`)
      return post
    }
    /** Until it is seen here, so that nothing of it goes on beyond the test. */
    async function removeElsewhere() {
      const { seq } = (await readPost(store.db, thread, 3))!
      await remove(parts, ada, { thread: other, number: 1 })
      await vi.waitFor(async () => expect((await readPost(store.db, thread, 3))!.seq).toBeGreaterThan(seq))
    }
    const ended = async (post: Post) => {
      model.end()
      await becomes(post, 'complete')
      const at = { thread, number: post.number }
      const [{ html }, run, report] = await Promise.all([
        now(post),
        findRun(store.db, thread, post.number),
        reportRun(store.db, at),
      ])
      return { html, stored: run?.reasoning, told: report.reasoning }
    }

    test('by then, while they were written: they cite it no more, nor say what they thought', async () => {
      const post = await reply()
      await remove(parts, ada, { thread, number: 2 })
      await removeElsewhere()
      const { html, stored, told } = await ended(post)
      expect({ stored, told }).toEqual({ stored: null, told: null })
      expect(html).toMatch(/class="citation unverified"[^>]*>\[#2\]/)
      expect(html).toContain('Not found in what the AI read')
      expect(html).toMatch(/<a [^>]*class="post-ref[^>]*>\[#3\]/)
    })

    test('later: what they thought goes, and their words stay', async () => {
      const kept = await ended(await reply())
      expect(kept).toMatchObject({ stored: 'Ivory!', told: 'Ivory!' })
      expect(kept.html).not.toContain('unverified')
      const { number } = (await readPost(store.db, thread, 4))!
      await remove(parts, ada, { thread, number: 2 })
      expect((await findRun(store.db, thread, number))?.reasoning).toBeNull()
      expect(await readPost(store.db, thread, number)).toMatchObject({ html: kept.html })
    })

    test('later, in another thread: what they thought is told no more', async () => {
      expect(await ended(await reply())).toMatchObject({ told: 'Ivory!' })
      await removeElsewhere()
      expect((await reportRun(store.db, { thread, number: 4 })).reasoning).toBeNull()
    })

    test('before they began: they say so, and nothing is wrong with this server', async () => {
      const error = vi.spyOn(parts.log, 'error')
      const find = vi.spyOn(parts.models, 'find').mockImplementation(async () => {
        // The first time it is for the asking, the second time for the writing.
        if (find.mock.calls.length === 2) await erasePost(store.db, { thread, number: 3 })
        return model
      })
      const post = await ask({}, ada, 3)
      await becomes(post, 'failed')
      expect(await now(post)).toMatchObject({ reason: 'The post that it was to answer has been deleted.' })
      expect(error).not.toHaveBeenCalled()
    })
  })

  test('that another node ends are booked with what they were given to read', async () => {
    const post = await ask()
    await begun()
    model.say('Half a')
    await vi.waitFor(() => expect(shown()).toBe('Half a'))
    await abandon()
    await another().sweep()
    await becomes(post, 'interrupted')
    const { usage, manifest } = await reportRun(store.db, { thread, number: post.number })
    expect(usage).toMatchObject({ input: manifest!.tokens, estimated: true })
    expect(manifest!.tokens).toBeGreaterThan(100)
  })

  test('come to their end when the node stops, or are handed over, or interrupted', async () => {
    const post = await ask()
    await begun()
    model.say('To the ')
    await vi.waitFor(() => expect(shown()).toBe('To the '))
    const drained = runner.drain()
    model.say('end')
    model.end()
    await drained
    expect((await now(post)).html).toBe('<p>To the end</p>\n')
    await expect(
      askPersona(asking({ isDraining: () => true }), ada, { thread, number: 1 }, { persona: 'explain' }),
    ).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('are asked for by those who may', async () => {
    const guest = await addUser(store.db, 'guest', { kind: 'guest', role: 'guest' })
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const set = (askers: 'everyone' | 'members' | 'moderators') =>
      store.db.updateTable('personas').set({ askers }).execute()
    const refused = async (actor: Actor) =>
      await ask({}, actor).then(
        () => false,
        (problem: { code: string }) => problem.code,
      )
    await set('members')
    expect([await refused(guest), await refused(ada)]).toEqual(['forbidden', false])
    await set('moderators')
    expect([await refused(ada), await refused(mod)]).toEqual(['forbidden', false])
    await store.db.updateTable('personas').set({ enabled: false, askers: 'everyone' }).execute()
    expect(await refused(ada)).toBe('persona-not-found')
    await expect(
      askPersona(asking(), null, { thread, number: 1 }, { persona: 'explain' }),
    ).rejects.toMatchObject({
      code: 'sign-in-required',
    })
    await store.db.updateTable('threads').set({ locked: true }).execute()
    expect(await refused(ada)).toBe('thread-locked')
    await begun(2)
    model.say('x')
    model.end()
  })

  test('keep the marks of their citations when a moderator edits them', async () => {
    const mod = await addUser(store.db, 'mod', { role: 'moderator' })
    const post = await ask()
    await begun()
    await expect(
      edit(parts, mod, { thread, number: post.number }, { body: 'x', seq: post.seq }),
    ).rejects.toMatchObject({ code: 'forbidden' })
    model.say('See [#1] and [#99].')
    model.end()
    await becomes(post, 'complete')
    const marked = (await now(post)).html
    expect(marked).toContain('unverified')
    expect(marked).toContain('post-ref citation')
    const { seq } = await now(post)
    const edited = await edit(
      parts,
      mod,
      { thread, number: post.number },
      { body: 'See [#1] and [#98].', seq },
    )
    expect(edited.html).toBe(marked.replace('#99', '#98'))
  })

  test('are written several at a time', async () => {
    for (const handle of ['compare', 'check']) await addPersona(store.db, handle)
    const posts = [await ask(), await ask({ persona: 'compare' }), await ask({ persona: 'check' })]
    await begun(3)
    for (const word of ['a ', 'b ', 'c']) model.say(word)
    model.end()
    for (const post of posts) await becomes(post, 'complete')
    for (const post of posts) expect((await now(post)).html).toBe('<p>a b c</p>\n')
  })
})
