import fs from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFailed, test, vi } from 'vitest'
import { liveLimits } from '../../server/live/limits.ts'
import { limits } from '../../shared/limits.ts'
import { inspectable, liveHeap } from '../helpers/heap.ts'
import { openViewer, type Viewer } from '../helpers/live-client.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { createRandom, type Random } from '../helpers/random.ts'
import { clientFrame, connectRaw, opcodes, upgradeRequest, type RawSocket } from '../helpers/raw-socket.ts'
import { temporaryDirectory } from '../helpers/server-process.ts'
import { rejected, understood, unknownThread, verdictOn } from './frame-corpus.ts'

const frames = 100_000
/** Conversations at the same time. */
const parallel = 40
/** What a message that is understood may be answered with. */
const answers = new Set([
  'welcome',
  'joined',
  'presence',
  'post',
  'thread-not-found',
  'sign-in-required',
  'session-ended',
  'too-many-threads',
])
/** What a heap may grow by in the second half of all frames, in bytes. */
const growth = 10 * 1024 * 1024

describe('hostile frames', () => {
  let node: TestNode
  let directory: string
  let who: Guest
  let thread: string
  let viewer: Viewer

  beforeAll(async () => {
    directory = temporaryDirectory('data')
    node = await startNode({ DATA_DIR: directory, RATE_LIMITS: 'off', ...inspectable })
    who = await guest(node.url)
    const created = await ask<{ thread: { id: string } }>(who, 'POST', `${node.url}/api/threads`, {
      title: 'T',
      body: 'Root',
    })
    thread = created.thread.id
    // One that behaves, throughout.
    viewer = await openViewer(() => node.url, thread)
  })
  afterAll(async () => {
    viewer?.close()
    await node?.kill('SIGKILL')
    if (directory) fs.rmSync(directory, { recursive: true, force: true })
  })

  async function open(): Promise<RawSocket> {
    const socket = connectRaw(node.url)
    socket.write(upgradeRequest(node.url))
    if (!(await socket.until(({ messages }) => messages.length > 0)))
      throw new Error(`upgrade refused: ${socket.status}`)
    expect(socket.messages[0]).toMatchObject({ type: 'welcome' })
    return socket
  }

  /** Many frames that are understood, however strange: each is answered or ignored, and the socket lives. */
  async function bear(random: Random): Promise<number> {
    const socket = await open()
    const count = 30 + random.int(30)
    const last = unknownThread(random)
    const chunks: Buffer[] = []
    for (let i = 0; i < count; i++) chunks.push(delivered(random, understood(random, thread)))
    socket.write(
      ...chunks,
      clientFrame(opcodes.text, JSON.stringify({ type: 'join', thread: last, after: 0 })),
    )
    const answered = await socket.until(({ messages }) =>
      messages.some((message) => message['thread'] === last),
    )
    expect(answered).toBe(true)
    expect(socket.messages.find((message) => message['thread'] === last)).toMatchObject({
      type: 'error',
      code: 'thread-not-found',
    })
    const told = new Set(
      socket.messages.map((message) => (message['code'] as string | undefined) ?? message.type),
    )
    expect([...told].filter((each) => !answers.has(each))).toEqual([])
    if (random.chance(0.3)) socket.destroy()
    else await provoke(random, socket)
    return count + 2
  }

  /** A frame that is rejected: a typed error, then a close with the code that fits. */
  async function provoke(random: Random, socket?: RawSocket): Promise<number> {
    socket ??= await open()
    const isBinary = random.chance(0.1)
    const text = rejected(random, thread)
    const tooLarge = verdictOn(text) === 'too-large' && !isBinary
    socket.write(isBinary ? clientFrame(opcodes.binary, text) : delivered(random, text))
    await socket.until(({ closeCode }) => closeCode !== undefined)
    expect({ text, last: socket.messages.at(-1), closeCode: socket.closeCode }).toMatchObject({
      last: { type: 'error', code: tooLarge ? 'too-large' : 'invalid' },
      closeCode: tooLarge ? 4413 : 4400,
    })
    socket.write(clientFrame(opcodes.close, Buffer.from([0x11, 0x30])))
    await socket.until(({ ended }) => ended)
    socket.destroy()
    return 2
  }

  /** Breaks the WebSocket protocol itself, where no answer is owed but the end of the connection. */
  async function violate(random: Random): Promise<number> {
    const socket = await open()
    const chunks = random.chance(0.9) ? violation(random) : [random.bytes(2 + random.int(200))]
    socket.write(...chunks)
    // Random bytes may be the beginning of something that never comes.
    if (chunks.length > 1 && random.chance(0.5))
      await socket.until(({ closeCode, ended }) => closeCode !== undefined || ended)
    socket.destroy()
    return chunks.length
  }

  /** Conversations of all kinds until `wanted` frames were sent; says how many there were. */
  async function storm(seed: number, wanted: number): Promise<number> {
    const random = createRandom(seed)
    let sent = 0
    let conversations = 0
    const talk = async () => {
      while (sent < wanted) {
        conversations++
        const dice = random.next()
        const count = await (dice < 0.25 ? bear(random) : dice < 0.65 ? provoke(random) : violate(random))
        sent += count
      }
    }
    await Promise.all(Array.from({ length: parallel }, talk))
    return conversations
  }

  test(`${frames} of them leave the server as it was`, { timeout: 240_000 }, async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
    onTestFailed(() => console.log(`SEED=${seed}\n${node.log().slice(-6_000)}`))
    const startedAt = performance.now()
    const first = await storm(seed, frames / 2)
    const before = await liveHeap(node)
    const second = await storm(seed + 1, frames / 2)
    const ms = performance.now() - startedAt

    await vi.waitFor(async () => expect(await gauge('numinex_sockets')).toBe(1), { timeout: 10_000 })
    const after = await liveHeap(node)
    console.log(
      `seed ${seed}: ${frames} frames in ${first + second} connections in ${Math.round(ms / 1000)} s; ` +
        `heap ${(before / 2 ** 20).toFixed(1)} MB at half, ${(after / 2 ** 20).toFixed(1)} MB at the end`,
    )
    expect(after - before).toBeLessThan(growth)
    await expectSound()
    // Nobody is left over in the room.
    await vi.waitFor(() => expect(viewer.state.viewers).toBe(1), { timeout: 5_000 })
  })

  test('bad upgrades are refused, and none stays open', async () => {
    onTestFailed(() => console.log(node.log().slice(-6_000)))
    const origin = (value: string) => upgradeRequest(node.url, { Origin: value })
    const refused: [request: string, status: number][] = [
      [origin('https://evil.example'), 403],
      [origin('null'), 403],
      [origin(''), 403],
      [origin(`${node.url}.evil.example`), 403],
      [origin(`http://user@${new URL(node.url).host}.`), 403],
      [origin('http://['), 403],
      [upgradeRequest(node.url, {}, 'GET /elsewhere HTTP/1.1'), 404],
      [upgradeRequest(node.url, {}, 'GET /live/../live2 HTTP/1.1'), 404],
      [upgradeRequest(node.url, {}, 'GET //live HTTP/1.1'), 404],
      [upgradeRequest(node.url, {}, 'POST /live HTTP/1.1'), 405],
      [upgradeRequest(node.url, { 'Sec-WebSocket-Key': undefined }), 400],
      [upgradeRequest(node.url, { 'Sec-WebSocket-Key': 'short' }), 400],
      [upgradeRequest(node.url, { 'Sec-WebSocket-Version': '12' }), 400],
      [upgradeRequest(node.url, { 'Sec-WebSocket-Version': undefined }), 400],
      [upgradeRequest(node.url, { 'Sec-WebSocket-Protocol': 'a,,b' }), 400],
      [upgradeRequest(node.url, { Upgrade: 'h2c' }), 400],
      [upgradeRequest(node.url, { Cookie: 'a'.repeat(20_000) }), 431],
      ['GET /live HTTP/9.9\r\n\r\n', 400],
      ['\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400],
    ]
    const before = connectionsOf(node)
    // They keep their side open: the server must let go by itself.
    const sockets = refused.map(([request, status]) => {
      const socket = connectRaw(node.url, { allowHalfOpen: true })
      socket.write(request)
      return { socket, status, request }
    })
    for (const { socket, status, request } of sockets) {
      await socket.until(({ ended }) => ended)
      expect({ request, status: socket.status }).toEqual({ request, status })
    }
    // Begun and never finished, with or without the sender hanging up.
    const begun = Array.from({ length: 50 }, (_, i) => {
      const socket = connectRaw(node.url)
      socket.write(upgradeRequest(node.url).slice(0, 20 + i))
      return socket
    })
    for (const socket of begun.slice(0, 25)) socket.destroy()
    const whole = await open()
    whole.destroy()
    await vi.waitFor(() => expect(connectionsOf(node)).toBeLessThanOrEqual(before + 25), 5_000)
    for (const { socket } of sockets) socket.destroy()
    for (const socket of begun) socket.destroy()
    await expectSound()
  })

  test('a foreign Origin is refused and our own is not', async () => {
    const socket = connectRaw(node.url)
    socket.write(upgradeRequest(node.url, { Origin: node.url }))
    await socket.until(({ messages }) => messages.length > 0)
    expect(socket.status).toBe(101)
    socket.destroy()
  })

  /** The server runs, complains of nothing, and does its work. */
  async function expectSound(): Promise<void> {
    expect(node.running).toBe(true)
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
    expect(node.log()).not.toMatch(/unhandled|uncaught|"level":[56]0/i)
    const { post } = await ask<{ post: { number: number } }>(
      who,
      'POST',
      `${node.url}/api/threads/${thread}/posts`,
      {
        parent: 1,
        body: 'Still here',
        clientId: `c${Math.random()}`.replace('.', ''),
      },
    )
    await vi.waitFor(() => expect(viewer.state.posts[post.number - 1]?.html).toContain('Still here'), {
      timeout: 2_000,
    })
    expect(viewer.history.map(({ status }) => status)).toEqual(['connecting', 'live'])
  }

  async function gauge(name: string): Promise<number> {
    const text = await (await fetch(`${node.url}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
})

describe('a socket that asks for more than it may draw', () => {
  let node: TestNode
  let directory: string
  let thread: string

  beforeAll(async () => {
    directory = temporaryDirectory('data')
    node = await startNode({ DATA_DIR: directory })
    const who = await guest(node.url)
    const url = `${node.url}/api/threads`
    const body = 'word '.repeat(limits.bodyMax / 5 - 1)
    const created = await ask<{ thread: { id: string } }>(who, 'POST', url, { title: 'T', body })
    thread = created.thread.id
    const posts = Math.floor((0.9 * liveLimits.joinedBytes) / limits.bodyMax)
    for (let i = 1; i < posts; i++)
      await ask(who, 'POST', `${url}/${thread}/posts`, { parent: 1, body, clientId: `c${i}` })
  })
  afterAll(async () => {
    await node?.kill('SIGKILL')
    if (directory) fs.rmSync(directory, { recursive: true, force: true })
  })

  test('is refused, stays open, and gets it when it waited', { timeout: 30_000 }, async () => {
    onTestFailed(() => console.log(node.log().slice(-3_000)))
    const socket = connectRaw(node.url)
    socket.write(upgradeRequest(node.url))
    await socket.until(({ messages }) => messages.length > 0)
    const join = clientFrame(opcodes.text, JSON.stringify({ type: 'join', thread, after: 0, quiet: true }))
    const told = (type: string) => socket.messages.filter((message) => message.type === type)
    const asked = 80
    socket.write(...Array.from({ length: asked }, () => join))
    expect(await socket.until(() => told('joined').length + told('error').length === asked)).toBe(true)
    const whole = told('joined').length
    expect(whole).toBeGreaterThanOrEqual(3)
    const weight = Buffer.byteLength(JSON.stringify(told('joined')[0]))
    expect(weight).toBeGreaterThan(liveLimits.joinedBytes / 2)
    expect(whole * weight).toBeLessThan(liveLimits.answerBytes + 2 * liveLimits.joinedBytes)
    const refusals = told('error') as unknown as { code: string; thread: string; retryMs: number }[]
    for (const each of refusals) expect(each).toMatchObject({ code: 'rate-limited', thread })
    // As it was told: asked for any sooner, this would be refused again.
    await sleep(Math.max(...refusals.map(({ retryMs }) => retryMs)))
    socket.write(join)
    expect(await socket.until(() => told('joined').length === whole + 1)).toBe(true)
    expect(told('error')).toHaveLength(refusals.length)
    expect([socket.closeCode, socket.ended]).toEqual([undefined, false])
    socket.destroy()
  })
})

/** A text as one frame, or in pieces with control frames among them. */
function delivered(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text)
  if (!random.chance(0.2) || bytes.length < 2) return clientFrame(opcodes.text, bytes)
  const pieces: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    const end = Math.min(bytes.length, at + 1 + random.int(bytes.length))
    const opcode = at === 0 ? opcodes.text : opcodes.continuation
    pieces.push(clientFrame(opcode, bytes.subarray(at, end), { final: end === bytes.length }))
    if (random.chance(0.3))
      pieces.push(clientFrame(random.pick([opcodes.ping, opcodes.pong]), random.bytes(random.int(126))))
    at = end
  }
  return Buffer.concat(pieces)
}

/** Bytes that are no WebSocket conversation. */
function violation(random: Random): Buffer[] {
  const text = '{"type":"leave","thread":"k3v9x2q7ab"}'
  switch (random.int(15)) {
    case 0:
      return [clientFrame(opcodes.text, text, { masked: false })]
    case 1:
      return [clientFrame(opcodes.text, text, { reserved: 1 + random.int(7) })]
    case 2:
      return [clientFrame(random.pick([3, 4, 5, 6, 7, 11, 15]), text)]
    case 3:
      return [clientFrame(opcodes.continuation, text)]
    case 4:
      return [clientFrame(opcodes.text, text, { final: false }), clientFrame(opcodes.text, text)]
    case 5:
      return [clientFrame(opcodes.ping, random.bytes(126 + random.int(500)))]
    case 6:
      return [clientFrame(opcodes.ping, 'x', { final: false })]
    case 7:
      return [clientFrame(opcodes.text, notUtf8(random))]
    case 8:
      return [
        clientFrame(
          opcodes.close,
          random.pick([Buffer.from([3]), Buffer.from([0, 0]), Buffer.from([0x03, 0xec]), notUtf8(random)]),
        ),
      ]
    case 9:
      return [clientFrame(opcodes.text, 'x', { length: random.pick([70_000, 2 ** 31, 2 ** 53]) })]
    case 10:
      return [clientFrame(opcodes.close, Buffer.alloc(126))]
    case 11:
      return Array.from({ length: 100 }, () => clientFrame(opcodes.ping, 'flood')).concat(
        clientFrame(opcodes.close, ''),
      )
    case 12:
      return Array.from({ length: 100 }, (_, i) =>
        clientFrame(i === 0 ? opcodes.text : opcodes.continuation, '', { final: false }),
      ).concat(clientFrame(opcodes.close, ''))
    case 13:
      return [clientFrame(opcodes.text, Buffer.alloc(66_000, 'x')), clientFrame(opcodes.text, text)]
    default:
      return [clientFrame(opcodes.close, Buffer.from([0x03, 0xe8])), clientFrame(opcodes.text, text)]
  }
}

function notUtf8(random: Random): Buffer {
  for (;;) {
    const bytes = Buffer.concat([
      random.bytes(1 + random.int(100)),
      Buffer.from(random.pick([[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80]])),
    ])
    if (!isUtf8(bytes)) return bytes
  }
}

/** How many TCP connections a process has. */
function connectionsOf({ pid }: TestNode): number {
  const directory = `/proc/${pid}/fd`
  return fs.readdirSync(directory).filter((fd) => {
    try {
      return fs.readlinkSync(`${directory}/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}
