import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectLive, type Live, type Socket } from '../../client/live.ts'
import { openThread, type LiveThread } from '../../client/thread.ts'
import type { Timers } from '../../client/timers.ts'
import { append, begin, finish } from '../../server/ai/agents.ts'
import type { AiParts } from '../../server/ai/parts.ts'
import { createMemoryLiveText, type LiveText } from '../../server/bus/live-text.ts'
import { createHub, type Hub } from '../../server/live/hub.ts'
import { createLiveMetrics } from '../../server/live/metrics.ts'
import { welcomeFrame } from '../../server/live/session-frames.ts'
import { createLookups } from '../../server/live/lookups.ts'
import { createSession } from '../../server/live/session.ts'
import { createWatch } from '../../server/live/watch.ts'
import { openDatabase, type OpenDatabase } from '../../server/store/database.ts'
import { migrate } from '../../server/store/migrate.ts'
import type { Actor } from '../../server/threads/access.ts'
import { edit, react, remove, reply } from '../../server/threads/posts.ts'
import { createRenderer } from '../../server/threads/render.ts'
import { createTogether } from '../../server/threads/together.ts'
import { changeThread, createThread, getChanges, getThread } from '../../server/threads/threads.ts'
import { Problem } from '../../shared/errors.ts'
import { fromSnapshot, treeRows, type ThreadState } from '../../shared/thread-state.ts'
import { addAgent, aiParts } from '../helpers/ai.ts'
import { createChaosBus } from '../helpers/chaos-bus.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'

/**
 * The promise of the whole live side: however messages are lost, repeated, delayed and reordered between the nodes, and
 * however often clients lose their sockets, every client ends with the thread as the database has it, and on the way
 * two clients at the same seq show the same thread. Of a reply that is being written, each client's text is always the
 * beginning of what its agent wrote, and at the end the whole of it.
 *
 * FUZZ_SEED=n plays one seed again; FUZZ_SEEDS=n plays more of them.
 */
const one = process.env['FUZZ_SEED']
const first = one === undefined ? 1 : Number(one)
const count = one === undefined ? Number(process.env['FUZZ_SEEDS'] ?? 500) : 1
/** Games that are played side by side: they mostly wait. */
const sideBySide = 12

let database: OpenDatabase
const log = pino({ level: 'silent' })
const writers: Actor[] = ['ada', 'bob', 'mod'].map((id) => ({
  id,
  name: id,
  kind: 'person',
  role: id === 'mod' ? 'moderator' : 'member',
}))

const agent: Actor = { id: 'agent', name: 'agent', kind: 'ai', role: 'member' }

describeWith('postgres', 'convergence', () => {
  let disposable: TestDatabase

  beforeAll(async () => {
    disposable = await createDatabase()
    database = await openDatabase({ url: disposable.url, dataDir: '', onError: () => undefined })
    await migrate(database.db)
    for (const { id, name, kind, role } of writers) {
      await database.db
        .insertInto('users')
        .values({ id, name, kind, role, email: `${id}@test.invalid` })
        .execute()
    }
    await addAgent(database.db, agent.id)
  })

  afterAll(async () => {
    await database.close()
    await disposable.drop()
  })

  test(
    `${count} games with 4 clients on 2 nodes over a bus that loses, repeats, delays and reorders`,
    { timeout: 300_000 },
    async () => {
      const seeds = Array.from({ length: count }, (_, i) => first + i)
      const failures: string[] = []
      await Promise.all(
        Array.from({ length: sideBySide }, async () => {
          for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
            await play(seed).catch((error: unknown) => failures.push(`FUZZ_SEED=${seed}: ${String(error)}`))
          }
        }),
      )
      expect(failures).toEqual([])
    },
  )
})

async function play(seed: number): Promise<void> {
  const random = createRandom(seed)
  const chaos = createChaosBus(random)
  const liveText = createMemoryLiveText()
  const nodes = [0, 1].map((index) => createNode(`node${index}`, chaos.endpoint(), liveText))
  const parts = nodes[0]!.parts
  const { thread } = await createThread(parts, writers[0]!, { title: `Game ${seed}`, body: 'The root.' })
  const seen = new Map<number, string>()
  const written = new Map<string, string>()
  const clients: Client[] = []
  try {
    for (let i = 0; i < 4; i++) clients.push(await createClient(nodes, thread.id, random, seen, written))
    await Promise.all([
      ...writers.map((actor) => write(nodes, clients, thread.id, actor, random)),
      speak(nodes, thread.id, random, written),
      speak(nodes, thread.id, random, written),
      disturb(nodes, clients, random),
    ])
    chaos.heal()
    await settle(nodes, clients, thread.id)
  } finally {
    for (const client of clients) client.close()
    await Promise.all(nodes.map((node) => node.hub.close()))
  }
}

/** Every client shows what the database has. */
async function settle(nodes: Node[], clients: Client[], thread: string): Promise<void> {
  const truth = fromSnapshot(await getThread(nodes[0]!.parts, thread))
  const deadline = performance.now() + 10_000
  const current = () => clients.every((client) => client.state().seq === truth.seq)
  while (!current()) {
    if (performance.now() > deadline) {
      throw new Error(
        `clients at ${clients.map((client) => client.state().seq).join()}, database at ${truth.seq}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const client of clients) {
    expect(shownBy(client.state())).toBe(shownBy(truth))
    expect(orderOf(client.state())).toEqual(orderOf(truth))
    expect(client.faults).toEqual([])
    expect([...client.state().streams.keys()]).toEqual([])
  }
}

/** An agent writes a reply piece by piece, now on this node, now on that, and sends some pieces twice. */
async function speak(
  nodes: Node[],
  thread: string,
  random: Random,
  written: Map<string, string>,
): Promise<void> {
  const anyNode = () => random.pick(nodes).parts
  await pause(random, 12)
  const clientId = `${thread}-${random.int(1e6)}`
  const { number, run = '' } = await begin(anyNode(), agent, thread, {
    parent: 1,
    state: 'streaming',
    clientId,
  })
  let text = ''
  for (let i = 0; i < 8; i++) {
    await pause(random, 10)
    const piece = `${random.int(1e6)} 🌳 `
    const at = random.chance(0.2) ? 0 : text.length
    // Noted first: readers may hear of it before the writer gets its answer.
    const whole = text + piece
    written.set(run, whole)
    try {
      await append(anyNode(), agent, { thread, number }, { run, at, text: whole.slice(at) })
    } catch (error) {
      // Somebody deleted it meanwhile.
      if (error instanceof Problem && error.code === 'run-ended') return
      throw error
    }
    text = whole
  }
  await pause(random, 10)
  await finish(anyNode(), agent, { thread, number }, { run, state: 'complete' })
}

interface Node {
  hub: Hub
  parts: AiParts
}

function createNode(node: string, bus: AiParts['bus'], liveText: LiveText): Node {
  const { db } = database
  const metrics = createLiveMetrics(new Registry())
  return {
    hub: createHub({ db, bus, liveText, log, metrics, node }),
    parts: aiParts(
      {
        db,
        bus,
        log,
        render: createRenderer({ publicUrl: 'http://localhost' }),
        links: { request: async () => [] },
        together: createTogether({ db, bus }),
      },
      { node, liveText },
    ),
  }
}

/** One person at work, on either node. What is refused (a post deleted meanwhile, a lost edit race) is part of the game. */
async function write(
  nodes: Node[],
  clients: Client[],
  thread: string,
  actor: Actor,
  random: Random,
): Promise<void> {
  for (let i = 0; i < 6; i++) {
    await pause(random, 12)
    const { parts } = random.pick(nodes)
    // What a person sees when they act may be old by the time they do.
    const target = random.pick(
      random
        .pick(clients)
        .state()
        .posts.filter((post) => post !== undefined),
    )
    const at = { thread, number: target.number }
    const body = `${actor.name} says ${i}: ${random.int(1e6)}`
    const clientId = `${thread}-${i}`
    const emoji = random.pick(['👍', '🎉'])
    const act = random.pick([
      () => reply(parts, actor, thread, { parent: target.number, body, clientId }),
      // The same request again, on any node.
      async () => {
        await reply(parts, actor, thread, { parent: target.number, body, clientId })
        await reply(random.pick(nodes).parts, actor, thread, { parent: target.number, body, clientId })
      },
      () => edit(parts, actor, at, { body, seq: target.seq }),
      () => react(parts, actor, at, { emoji, on: random.chance(0.6) }),
      () => (target.number === 1 ? undefined : remove(parts, actor, at)),
      () => changeThread(parts, actor, thread, { title: body }),
    ])
    await Promise.resolve(act()).catch((error: unknown) => {
      if (!(error instanceof Problem)) throw error
    })
  }
}

/** Sockets break, clients start afresh, and nodes look at the database at any moment. */
async function disturb(nodes: Node[], clients: Client[], random: Random): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await pause(random, 12)
    if (random.chance(0.6)) random.pick(clients).cut()
    else if (random.chance(0.5)) await random.pick(clients).reload()
    else await random.pick(nodes).hub.compareHeads()
  }
}

function pause(random: Random, ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, random.int(ms)))
}

interface Client {
  state(): ThreadState
  /** Breaks the socket; what was on its way is lost. */
  cut(): void
  /** Starts afresh from a new snapshot, as a reload of the page does. */
  reload(): Promise<void>
  close(): void
  faults: unknown[]
}

/** The real client, twenty times as hasty, on real sessions; only the wire between them is made up. */
async function createClient(
  nodes: Node[],
  thread: string,
  random: Random,
  seen: Map<number, string>,
  written: ReadonlyMap<string, string>,
): Promise<Client> {
  const faults: unknown[] = []
  const timers: Timers = {
    // But as patient with a quiet server: who reconnects would cover up what the server should have told.
    set: (run, ms) => setTimeout(run, ms > 10_000 ? ms : ms / 20),
    clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
    now: () => performance.now(),
  }
  let wire: Wire | undefined
  const live: Live = connectLive({
    url: 'ws://test',
    timers,
    random: () => random.next(),
    openSocket: () => (wire = openWire(random.pick(nodes).hub)).socket,
    onFault: (fault) => faults.push(fault),
  })
  const { parts } = nodes[0]!
  const api = {
    changes: (id: string, after: number) => getChanges(parts, id, after),
    snapshot: (id: string) => getThread(parts, id),
  }

  async function start(): Promise<LiveThread> {
    const initial = fromSnapshot(await getThread(parts, thread))
    return openThread({ live, api, timers, onChange: check }, initial)
  }

  /** Never backwards, and at one seq the same for all. */
  function check(state: ThreadState, previous: ThreadState): void {
    for (const { run, text } of state.streams.values()) {
      if (written.get(run)?.startsWith(text) !== true) faults.push(`not the text of ${run}: ${text}`)
    }
    if (state.seq < previous.seq) faults.push(`went back from ${previous.seq} to ${state.seq}`)
    const shown = shownBy(state)
    const known = seen.get(state.seq)
    if (known === undefined) seen.set(state.seq, shown)
    else if (known !== shown) faults.push(`at seq ${state.seq} two clients differ:\n${known}\n${shown}`)
  }

  let current = await start()
  return {
    state: () => current.state,
    cut: () => wire?.cut(),
    async reload() {
      current.close()
      current = await start()
    },
    close() {
      current.close()
      live.close()
      wire?.cut()
    },
    faults,
  }
}

interface Wire {
  socket: Socket
  cut(): void
}

let wires = 0

/** A socket between a client and a session, which carries frames in order until it is cut. */
function openWire(hub: Hub): Wire {
  let open = true
  const socket: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send(data) {
      if (open) setTimeout(() => open && void session.receive(data), 0)
    },
    close: cut,
  }
  const deliver = (frame: Buffer) =>
    void setTimeout(() => open && socket.onmessage?.({ data: textOf(frame) } as never), 0)
  const session = createSession(
    {
      hub,
      lookups: createLookups({ identify: () => Promise.resolve(null) }),
      watch: createWatch(),
      welcome: welcomeFrame('test'),
      limited: false,
      now: () => performance.now(),
      onError: (error) => {
        throw error
      },
    },
    { id: `wire${++wires}`, deliver, mention: deliver, close: cut },
    undefined,
  )

  function cut(): void {
    if (!open) return
    open = false
    session.end()
    setTimeout(() => socket.onclose?.({ code: 1006 } as never), 0)
  }

  return { socket, cut }
}

/** The text of an unmasked frame. */
function textOf(frame: Buffer): string {
  const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
  return frame.toString('utf8', header)
}

/** All that a reader would see of the thread, as one text to compare. */
function shownBy(state: ThreadState): string {
  const posts = state.posts.filter((post) => post !== undefined)
  return JSON.stringify([state.thread, posts.map(({ clientId: _, ...post }) => post)])
}

function orderOf(state: ThreadState): number[] {
  return treeRows(state.posts).map((row) => row.post.number)
}
