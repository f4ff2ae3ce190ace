import fs from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, onTestFailed, test, vi } from 'vitest'
import { openViewer, snapshotOf, startWriters, visible } from '../helpers/live-client.ts'
import { ask, guest, startNode, type TestNode } from '../helpers/node.ts'
import { temporaryDirectory } from '../helpers/server-process.ts'

const poll = { interval: 20 }
const directories: string[] = []
const nodes: TestNode[] = []
const open: { close(): void }[] = []

afterEach(async () => {
  for (const each of open.splice(0)) each.close()
  await Promise.all(nodes.splice(0).map((node) => node.kill('SIGKILL')))
  for (const directory of directories.splice(0)) fs.rmSync(directory, { recursive: true, force: true })
})

function dataDir(): string {
  const directory = temporaryDirectory('data')
  directories.push(directory)
  return directory
}

async function start(directory: string): Promise<TestNode> {
  const node = await startNode({ DATA_DIR: directory, RATE_LIMITS: 'off' })
  nodes.push(node)
  onTestFailed(() => console.log(node.log().slice(-4_000)))
  return node
}

describe('one process with its own database', () => {
  test(
    'killed under load and started again: nothing acknowledged is lost',
    { timeout: 120_000 },
    async () => {
      const directory = dataDir()
      let node = await start(directory)
      const here = () => node.url
      const who = await guest(node.url)
      const { thread } = await ask<{ thread: { id: string } }>(who, 'POST', `${node.url}/api/threads`, {
        title: 'T',
        body: 'B',
      })
      const viewer = await openViewer(here, thread.id)
      open.push(viewer)
      const writers = await startWriters(here, thread.id, 4, 0)
      for (let round = 0; round < 2; round++) {
        const before = writers.acknowledged.size
        await vi.waitFor(() => expect(writers.acknowledged.size).toBeGreaterThan(before + 40), {
          ...poll,
          timeout: 20_000,
        })
        await node.kill('SIGKILL')
        await vi.waitFor(() => expect(viewer.status.kind).not.toBe('live'), { ...poll, timeout: 1_000 })
        expect(fs.existsSync(path.join(directory, 'lock'))).toBe(true)
        node = await start(directory)
      }
      const startedAt = performance.now()
      // What a browser does when the network is back; the wait between two tries has become long meanwhile.
      viewer.live.wake()
      await writers.stop()
      const last = visible(await snapshotOf(node.url, thread.id))
      await vi.waitFor(() => expect(visible(viewer.state)).toEqual(last), { ...poll, timeout: 5_000 })
      console.log(
        `${writers.acknowledged.size} posts, ${writers.retries()} sent again; caught up in ${performance.now() - startedAt} ms`,
      )
      const kept = last.posts.flatMap(({ clientId, number }) =>
        clientId === undefined ? [] : [[clientId, number] as const],
      )
      expect(kept).toHaveLength(writers.acknowledged.size)
      expect(new Map(kept)).toEqual(writers.acknowledged)
      expect(last.posts.map(({ seq }) => seq)).toEqual(last.posts.map((_, i) => i + 1))
    },
  )

  test('a second process is refused in plain words, and the first goes on', { timeout: 60_000 }, async () => {
    const directory = dataDir()
    const node = await start(directory)
    const refusal = await startNode({ DATA_DIR: directory }).then(
      (second) => second.kill('SIGKILL').then(() => 'it started'),
      (error: Error) => error.message,
    )
    expect(refusal).toMatch(/ended with 1:/)
    expect(refusal).toContain(`The data directory ${directory} is in use by process ${node.pid} on `)
    expect(refusal).not.toMatch(/\n\s+at /)
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
  })
})
