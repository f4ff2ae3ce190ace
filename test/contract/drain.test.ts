import fs from 'node:fs'
import http from 'node:http'
import { afterEach, expect, onTestFailed, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ask, guest, startNode, type TestNode } from '../helpers/node.ts'
import { connectRaw, upgradeRequest } from '../helpers/raw-socket.ts'
import { temporaryDirectory } from '../helpers/server-process.ts'

const directories: string[] = []
let node: TestNode | undefined

afterEach(async () => {
  await node?.kill('SIGKILL')
  for (const directory of directories.splice(0)) fs.rmSync(directory, { recursive: true, force: true })
})

async function start(): Promise<TestNode> {
  const directory = temporaryDirectory('data')
  directories.push(directory)
  const started = await startNode({ DATA_DIR: directory })
  node = started
  onTestFailed(() => console.log(started.log()))
  return started
}

/** A socket with what it was told, and how it was closed. */
async function connect(url: string) {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live`)
  const messages: { type: string; retryMs?: number }[] = []
  socket.on('message', (data: Buffer) => {
    for (const line of data.toString().split('\n')) messages.push(JSON.parse(line) as { type: string })
  })
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await vi.waitFor(() => expect(messages[0]).toMatchObject({ type: 'welcome' }))
  return { messages, closed }
}

test('SIGTERM sends everyone away in order and ends with 0', async () => {
  const { url, kill } = await start()
  const sockets = await Promise.all(Array.from({ length: 50 }, () => connect(url)))
  const startedAt = performance.now()
  const code = await kill('SIGTERM')
  const ms = performance.now() - startedAt
  expect(code).toBe(0)
  expect(ms).toBeLessThan(5_000)
  expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual(sockets.map(() => 1012))
  const waits = sockets.map(({ messages }) => messages.at(-1)!)
  for (const last of waits)
    expect(last).toMatchObject({ type: 'goodbye', retryMs: expect.any(Number) as number })
  const times = waits.map(({ retryMs }) => retryMs!).sort((a, b) => a - b)
  // Spread over the five seconds: with chance it fails less than once in a million runs.
  expect(times[0]).toBeLessThan(1_250)
  expect(times.at(-1)).toBeGreaterThan(3_750)
  expect(times.at(-1)).toBeLessThanOrEqual(5_000)
  console.log(`drained in ${Math.round(ms)} ms`)
})

test('a request under way is finished, and kept', async () => {
  const { url, kill } = await start()
  const who = await guest(url)
  const { thread } = await ask<{ thread: { id: string } }>(who, 'POST', `${url}/api/threads`, {
    title: 'T',
    body: 'B',
  })
  const viewer = await connect(url)
  const body = JSON.stringify({ parent: 1, body: 'The last word', clientId: 'last' })
  const { request, answer } = slowPost(`${url}/api/threads/${thread.id}/posts`, {
    ...who.headers,
    'content-length': body.length,
  })
  request.write(body.slice(0, 10))
  // The first half has arrived when what was asked after it is answered.
  await fetch(`${url}/healthz`)
  const gone = kill('SIGTERM')
  await viewer.closed
  request.end(body.slice(10))
  expect(await answer).toMatchObject({ status: 201 })
  expect(await gone).toBe(0)

  node = await startNode({ DATA_DIR: directories[0]! })
  const { posts } = (await (await fetch(`${node.url}/api/threads/${thread.id}`)).json()) as {
    posts: { html: string }[]
  }
  expect(posts.map(({ html }) => html)).toContain('<p>The last word</p>\n')
})

test('while it drains it says that it is not ready and takes no new sockets', async () => {
  const { url, kill } = await start()
  // One that never answers holds the end up until it is cut.
  const deaf = connectRaw(url, { allowHalfOpen: true })
  deaf.write(upgradeRequest(url))
  await deaf.until(({ messages }) => messages.length > 0)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const startedAt = performance.now()
  const gone = kill('SIGTERM')
  await deaf.until(({ messages }) => messages.at(-1)?.type === 'goodbye')
  const ready = await fetch(`${url}/readyz`)
  expect(ready.status).toBe(503)
  expect(await ready.json()).toMatchObject({ draining: true })
  const late = connectRaw(url)
  late.write(upgradeRequest(url))
  await late.until(({ ended }) => ended)
  expect(late.status).toBe(503)
  expect(await gone).toBe(0)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  deaf.destroy()
})

function slowPost(address: string, headers: http.OutgoingHttpHeaders) {
  const request = http.request(address, { method: 'POST', headers })
  const answer = new Promise<{ status: number }>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode! }))
    })
  })
  return { request, answer }
}
