import fs from 'node:fs'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { inspectable, liveHeap } from '../helpers/heap.ts'
import { guest, startNode, type TestNode } from '../helpers/node.ts'
import { newThread, readThread } from '../helpers/postings.ts'
import { clientFrame, connectRaw, opcodes, upgradeRequest, type RawSocket } from '../helpers/raw-socket.ts'
import { temporaryDirectory } from '../helpers/server-process.ts'

const viewers = 1_000
/** Of live heap, in bytes: Node's socket and the library are most of the 4 KiB that one takes. */
const allowed = 7_000
/** Bytes of headers that each sends along. Whoever keeps the request is found out. */
const headers = 8_000

let node: TestNode
let directory: string
const open: RawSocket[] = []

beforeAll(async () => {
  directory = temporaryDirectory('data')
  node = await startNode({ DATA_DIR: directory, RATE_LIMITS: 'off', ...inspectable })
})
afterAll(async () => {
  for (const socket of open) socket.destroy()
  await node?.kill('SIGKILL')
  if (directory) fs.rmSync(directory, { recursive: true, force: true })
})

test('a viewer weighs little, and nothing of its request', { timeout: 60_000 }, async () => {
  onTestFailed(() => console.log(node.log().slice(-3_000)))
  const thread = await newThread(node.url, await guest(node.url))
  const { seq } = await readThread(node.url, thread)
  const join = clientFrame(opcodes.text, JSON.stringify({ type: 'join', thread, after: seq }))

  async function view(): Promise<void> {
    const socket = connectRaw(node.url)
    open.push(socket)
    // Each its own text, as cookies and tokens are.
    socket.write(upgradeRequest(node.url, { 'X-Padding': `${open.length} `.padEnd(headers, 'x') }), join)
    const joined = await socket.until(({ messages }) => messages.some(({ type }) => type === 'joined'))
    expect(joined).toBe(true)
  }

  // What is made once is no viewer's.
  for (let i = 0; i < 100; i++) await view()
  const before = await liveHeap(node)
  for (let i = 0; i < viewers / 100; i++) await Promise.all(Array.from({ length: 100 }, view))
  const each = ((await liveHeap(node)) - before) / viewers
  console.log(`${each.toFixed(0)} bytes of live heap a viewer`)
  expect(each).toBeLessThan(allowed)
})
