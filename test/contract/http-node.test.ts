import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { problemDocument } from '../../shared/problem-document.ts'
import { limits } from '../../shared/limits.ts'
import { ask, guest, startNode, type Guest, type TestNode } from '../helpers/node.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { createDatabase, describeWith, services } from '../helpers/services.ts'

const temporary: string[] = []
function newDataDir(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-node-'))
  temporary.push(directory)
  return directory
}
afterAll(() => {
  for (const directory of temporary) fs.rmSync(directory, { recursive: true, force: true })
})

describe('a server by itself', () => {
  let node: TestNode
  let ada: Guest
  const dataDir = newDataDir()
  beforeAll(async () => {
    node = await startNode({ DATA_DIR: dataDir })
    ada = await guest(node.url)
  })
  afterAll(() => node.kill('SIGTERM'))

  test('keeps idle connections longer than proxies do', async () => {
    const { headers } = await fetch(`${node.url}/healthz`)
    expect(headers.get('connection')).toBe('keep-alive')
    expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(120)
  })

  test('tells all that is to be measured', async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text()
    const names = [
      'numinex_http_seconds',
      'numinex_sockets',
      'numinex_rooms',
      'numinex_deliveries_total',
      'numinex_frames_total',
      'numinex_commit_to_socket_seconds',
      'numinex_gap_repairs_total',
      'numinex_shed_total',
      'numinex_closed_total',
      'numinex_refused_total',
      'numinex_database_connections',
      'nodejs_eventloop_lag_seconds',
      'process_resident_memory_bytes',
    ]
    for (const name of names) expect(text, name).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'))
  })

  test('refuses a body that grows beyond the limit while it comes', async () => {
    const { status, text } = await sendPieces(`${node.url}/api/threads`, ada, limits.requestBytes * 4)
    expect([status, problemDocument.parse(JSON.parse(text)).code]).toEqual([413, 'too-large'])
    // And goes on serving.
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
  })

  test('answers who asks again for what is known with nothing', async () => {
    const { thread } = await ask<{ thread: { id: string } }>(ada, 'POST', `${node.url}/api/threads`, {
      title: 'T',
      body: 'Words. '.repeat(400),
    })
    const url = `${node.url}/api/threads/${thread.id}`
    const first = await fetch(url)
    expect(first.headers.get('content-encoding')).toMatch(/^(?:br|gzip)$/)
    const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag')! } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })

  test('serves its data directory to nobody else', () => {
    const second = run({ DATA_DIR: dataDir })
    expect(second.status).toBe(1)
    expect(second.stderr).toContain(`in use by process ${node.pid}`)
    expect(second.stderr).not.toContain('    at ')
  })
})

/** Sends a body in pieces, without telling its length, until it is answered. */
function sendPieces(url: string, who: Guest, bytes: number): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers: { ...who.headers } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode!, text }))
    })
    request.on('error', (error) => {
      // The server may hang up on what it does not read.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
    })
    request.write('{"title":"')
    for (let sent = 0; sent < bytes; sent += 16_384) request.write('x'.repeat(16_384))
    request.end('"}')
  })
}

function run(env: Record<string, string>) {
  return spawnSync(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    env: { PATH: process.env['PATH'], PORT: '0', LINKS: 'off', ...env } as NodeJS.ProcessEnv,
    encoding: 'utf8',
    timeout: 25_000,
  })
}

test.each<[string, Record<string, string>, RegExp]>([
  ['a wrong value', { PORT: 'http' }, /^PORT: must be a whole number from 0 to 65535\n$/],
  ['two', { LOG_LEVEL: 'x', LINKS: 'x' }, /^LOG_LEVEL: .+\nLINKS: .+\n$/],
  [
    'a database that is not there',
    { DATABASE_URL: 'postgres://127.0.0.1:1/x' },
    /^.*ECONNREFUSED 127\.0\.0\.1:1\n$/,
  ],
  ['a database by a name', { DATABASE_URL: 'postgres://localhost:1/x' }, /^connect ECONNREFUSED .+\n$/],
  ['a host that is none', { HOST: 'no-such-host.invalid' }, /^.*no-such-host\.invalid\n$/],
])('with %s the server says so in a line and does not start', (_, env, expected) => {
  const { status, stderr } = run({ DATA_DIR: newDataDir(), LOG_LEVEL: 'silent', ...env })
  expect(stderr).toMatch(expected)
  expect(status).toBe(1)
})

describeWith(['postgres', 'redis'], 'a server whose port is taken', () => {
  test('says so and ends, whatever it has connected to by then', async () => {
    const database = await createDatabase()
    const taken = http.createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    try {
      const urls = { DATABASE_URL: database.url, REDIS_URL: services().redisUrl! }
      const { status, stderr } = run({
        ...urls,
        DATA_DIR: newDataDir(),
        LOG_LEVEL: 'silent',
        PORT: String(port),
      })
      expect(stderr).toMatch(new RegExp(`^.*EADDRINUSE.*:${port}\\n$`))
      expect(status).toBe(1)
    } finally {
      taken.close()
      await database.drop()
    }
  })
})

describeWith('postgres', 'a server whose database goes away', () => {
  test('is not ready, says that it cannot answer now, and lives', async () => {
    const postgres = await startPostgres()
    const node = await startNode({ DATABASE_URL: postgres.url, DATA_DIR: newDataDir() })
    try {
      expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
      const who = await guest(node.url)
      await postgres.kill('SIGKILL')
      await vi.waitUntil(async () => (await fetch(`${node.url}/readyz`)).status === 503)
      const answers = [
        await fetch(`${node.url}/api/threads`),
        await fetch(`${node.url}/api/threads`, {
          method: 'POST',
          headers: who.headers,
          body: JSON.stringify({ title: 'T', body: 'B' }),
        }),
      ]
      for (const answer of answers) {
        const document = problemDocument.parse(await answer.json())
        expect(document).toMatchObject({ status: 503, code: 'unavailable', retryMs: expect.any(Number) })
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      }
      expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
      expect(await node.kill('SIGTERM')).toBe(0)
    } finally {
      await node.kill('SIGKILL')
      await postgres.stop()
    }
  })
})

describeWith('postgres', 'a server that starts while Redis is away', () => {
  test('serves all the same, and says that messages do not flow', async () => {
    const database = await createDatabase()
    // Nothing listens on port 1.
    const node = await startNode({ DATABASE_URL: database.url, REDIS_URL: 'redis://127.0.0.1:1' })
    try {
      expect(await (await fetch(`${node.url}/readyz`)).json()).toMatchObject({ status: 'ready', bus: false })
      const who = await guest(node.url)
      await ask(who, 'POST', `${node.url}/api/threads`, { title: 'T', body: 'B' })
      expect(await node.kill('SIGTERM')).toBe(0)
    } finally {
      await node.kill('SIGKILL')
      await database.drop()
    }
  })
})
