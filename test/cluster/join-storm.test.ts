import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { userIds } from '../helpers/programs.ts'
import { temporaryDirectory, type TestServer } from '../helpers/server-process.ts'
import { describeWith } from '../helpers/services.ts'

const sockets = 2_000
/** Sockets of people with an account, each with another one. */
const signedIn = 600
/** Statements that a storm may cost, however many come: a few differences, and the comparisons of heads meanwhile. */
const statementsAllowed = 30
/** Posts that were there before the room was, so that its ring does not have them. */
const oldPosts = 60

describeWith('postgres', `a storm of ${sockets} sockets`, () => {
  let postgres: TestServer
  let logDirectory: string
  let node: TestNode
  let who: Guest
  let thread: string
  const open: WebSocket[] = []

  beforeAll(async () => {
    logDirectory = temporaryDirectory('log', process.getuid?.() === 0 ? userIds('postgres') : undefined)
    postgres = await startPostgres({
      settings: {
        logging_collector: 'on',
        log_directory: logDirectory,
        log_filename: 'all.log',
        log_line_prefix: '%a|',
        log_statement: 'all',
      },
    })
    node = await startNode({ DATABASE_URL: postgres.url, RATE_LIMITS: 'off' })
    who = await guest(node.url)
    const made = await ask<{ thread: { id: string } }>(who, 'POST', `${node.url}/api/threads`, {
      title: 'T',
      body: 'Root',
    })
    thread = made.thread.id
    for (let i = 0; i < oldPosts; i++) await write(i)
  })
  afterAll(async () => {
    hangUp()
    await node?.kill('SIGKILL')
    await postgres?.stop()
    if (logDirectory) fs.rmSync(logDirectory, { recursive: true, force: true })
  })

  async function write(i: number): Promise<number> {
    const { post } = await ask<{ post: { seq: number } }>(
      who,
      'POST',
      `${node.url}/api/threads/${thread}/posts`,
      {
        parent: 1,
        body: `Post ${i}`,
        clientId: `post-${i}`,
      },
    )
    return post.seq
  }

  function hangUp(): void {
    for (const socket of open.splice(0)) socket.terminate()
  }

  /** All come at once and join after `after`; resolves with what each was told when all have been. */
  async function storm(after: number, who: readonly Guest[] = []): Promise<Joined[]> {
    const address = `${node.url.replace(/^http/, 'ws')}/live`
    return Promise.all(
      Array.from(
        { length: sockets },
        (_, i) =>
          new Promise<Joined>((resolve, reject) => {
            const headers = who[i]?.headers ?? {}
            const socket = new WebSocket(address, { headers, perMessageDeflate: false })
            open.push(socket)
            socket.on('error', reject)
            socket.on('open', () => socket.send(JSON.stringify({ type: 'join', thread, after })))
            socket.on('message', (data: Buffer) => {
              for (const line of data.toString().split('\n')) {
                const message = JSON.parse(line) as Joined
                if (message.type === 'joined') resolve(message)
                if (message.type === 'error') reject(new Error(line))
              }
            })
          }),
      ),
    )
  }

  /** What the server asked the database while `work` ran. */
  async function counting<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
    const begin = await mark()
    const result = await work()
    const end = await mark()
    const text = fs.readFileSync(path.join(logDirectory, 'all.log'), 'utf8')
    const lines = text.slice(text.indexOf(begin), text.indexOf(end)).split('\n')
    return { result, statements: lines.filter((line) => /^numinex\|LOG: {2}(statement|execute)/.test(line)) }
  }

  const sessionsRead = () =>
    (fs.readFileSync(path.join(logDirectory, 'all.log'), 'utf8').match(/from "sessions"/g) ?? []).length

  /** Puts a mark into the log of statements; resolves when it is to be read there. */
  async function mark(): Promise<string> {
    const name = `mark-${Math.random()}`
    const client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
    await client.query(`SELECT '${name}'`)
    await client.end()
    await vi.waitFor(() =>
      expect(fs.readFileSync(path.join(logDirectory, 'all.log'), 'utf8')).toContain(name),
    )
    return name
  }

  function report(title: string, statements: string[], startedAt: number): void {
    console.log(
      `${title}: ${statements.length} statements for ${sockets} sockets, ${Math.round(performance.now() - startedAt)} ms`,
    )
  }

  const head = async () =>
    ((await (await fetch(`${node.url}/api/threads/${thread}`)).json()) as { seq: number }).seq

  test('to a room that is not open yet', { timeout: 60_000 }, async () => {
    onTestFailed(() => console.log(node.log().slice(-3_000)))
    const seq = await head()
    const startedAt = performance.now()
    const { result, statements } = await counting(() => storm(seq))
    report('first', statements, startedAt)
    for (const joined of result) expect(joined).toMatchObject({ seq, posts: [] })
    expect(statements.length, statements.join('\n').slice(0, 5_000)).toBeLessThanOrEqual(statementsAllowed)
  })

  test('that comes back to the head', { timeout: 60_000 }, async () => {
    const seq = await head()
    hangUp()
    const startedAt = performance.now()
    const { result, statements } = await counting(() => storm(seq))
    report('at the head', statements, startedAt)
    for (const joined of result) expect(joined).toMatchObject({ seq, posts: [] })
    // Nothing at all but what it does by the clock, which knows nothing of sockets.
    expect(statements.filter((line) => !isClockwork(line))).toEqual([])
    expect(statements.length).toBeLessThan(statementsAllowed)
    // And they are all there: one post reaches everyone.
    let reached = 0
    const body = `${sockets} readers`
    for (const socket of open) {
      socket.on('message', (data: Buffer) => {
        if (data.includes(body)) reached++
      })
    }
    await ask(who, 'POST', `${node.url}/api/threads/${thread}/posts`, { parent: 1, body, clientId: 'all' })
    await vi.waitFor(() => expect(reached).toBe(sockets), { timeout: 10_000 })
  })

  test('of people with accounts, who come back and are known', { timeout: 60_000 }, async () => {
    const people: Guest[] = []
    for (let i = 0; i < signedIn; i += 20) {
      const names = Array.from({ length: 20 }, (_, j) => `Reader ${i + j}`)
      people.push(...(await Promise.all(names.map((name) => guest(node.url, name)))))
    }
    const seq = await head()
    hangUp()
    const before = sessionsRead()
    const startedAt = performance.now()
    const first = await counting(async () => {
      await storm(seq, people)
      await vi.waitFor(() => expect(sessionsRead() - before).toBeGreaterThanOrEqual(signedIn), {
        timeout: 20_000,
      })
    })
    report('people', first.statements, startedAt)
    hangUp()
    const cameBackAt = performance.now()
    const { statements } = await counting(() => storm(seq, people))
    report('the same people', statements, cameBackAt)
    expect(statements.filter((line) => !isClockwork(line))).toEqual([])
    // They are who they were: they may type.
    const told: string[] = []
    open[8]!.on('message', (data: Buffer) => told.push(data.toString()))
    open[7]!.send(JSON.stringify({ type: 'typing', thread, parent: 1 }))
    await vi.waitFor(() => expect(told.join()).toContain('"Reader 7"'), { timeout: 10_000 })
  })

  test('that comes back a few changes behind', { timeout: 60_000 }, async () => {
    // The room has these in its ring: it was open when they were made.
    for (let i = 0; i < 5; i++) await write(1_000 + i)
    const seq = await head()
    hangUp()
    const startedAt = performance.now()
    const { result, statements } = await counting(() => storm(seq - 5))
    report('five behind', statements, startedAt)
    for (const joined of result) {
      expect(joined.seq).toBe(seq)
      expect(joined.posts.map((post) => post.seq)).toEqual([4, 3, 2, 1, 0].map((back) => seq - back))
    }
    expect(statements.filter((line) => !isClockwork(line))).toEqual([])
  })

  test('that comes back from before the ring', { timeout: 60_000 }, async () => {
    const seq = await head()
    hangUp()
    const startedAt = performance.now()
    const { result, statements } = await counting(() => storm(10))
    report('before the ring', statements, startedAt)
    for (const joined of result) {
      expect(joined.seq).toBe(seq)
      expect(joined.posts).toHaveLength(seq - 10)
    }
    expect(statements.length, statements.join('\n').slice(0, 5_000)).toBeLessThanOrEqual(statementsAllowed)
  })

  test('after the node was restarted', { timeout: 60_000 }, async () => {
    const seq = await head()
    hangUp()
    await node.kill('SIGKILL')
    node = await startNode({ DATABASE_URL: postgres.url, RATE_LIMITS: 'off' })
    const startedAt = performance.now()
    const { result, statements } = await counting(() => storm(seq - 3))
    report('after a restart', statements, startedAt)
    for (const joined of result) expect(joined.posts).toHaveLength(3)
    expect(statements.length, statements.join('\n').slice(0, 5_000)).toBeLessThanOrEqual(statementsAllowed)
  })
})

interface Joined {
  type: string
  seq: number
  posts: { seq: number }[]
}

/** What a node does by the clock: it compares all rooms' heads with the database's, and looks for abandoned AI replies. */
function isClockwork(statement: string): boolean {
  return (
    /select "id", "seq" from "threads" where "id" = any/.test(statement) ||
    /update "runs" set "owner" = /.test(statement)
  )
}
