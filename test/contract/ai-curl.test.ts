import { execFile, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Post } from '../../shared/post.ts'
import { openLoadViewer, type LoadViewer } from '../helpers/ai-load.ts'
import { startNode, type TestNode } from '../helpers/node.ts'
import { readBody } from '../helpers/postings.ts'

// An agent outside that has nothing but curl: it streams a reply, is cut off, finds out where it stands, goes on, and ends.

let node: TestNode
let dataDir: string
let viewer: LoadViewer
const thread = 'readAuthor'

beforeAll(async () => {
  dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-curl-'))
  node = await startNode({ DATA_DIR: dataDir })
  viewer = await openLoadViewer(() => node.url, thread)
})
afterAll(async () => {
  viewer?.close()
  await node?.kill('SIGTERM')
  fs.rmSync(dataDir, { recursive: true, force: true })
})

/** Sends JSON by curl, and gives the answer's status and JSON. */
async function curl<T>(url: string, header: string, body?: object): Promise<{ status: number; json: T }> {
  const data = body === undefined ? [] : ['--json', JSON.stringify(body)]
  const args = ['--silent', '--show-error', '--write-out', '\n%{http_code}', '--header', header, ...data, url]
  const { stdout } = await promisify(execFile)('curl', args)
  const end = stdout.lastIndexOf('\n')
  return { status: Number(stdout.slice(end + 1)), json: JSON.parse(stdout.slice(0, end)) as T }
}

async function signUpAdmin(): Promise<string> {
  const answer = await fetch(`${node.url}/api/auth/sign-up/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Root', email: 'root@example.test', password: 'correct horse battery' }),
  })
  return `authorization: Bearer ${answer.headers.get('set-auth-token')}`
}

test('streams a reply with curl alone, is cut off, resumes where it stands, and finishes', async () => {
  const admin = await signUpAdmin()
  const persona = { handle: 'quoter', name: 'Quoter', external: true }
  expect((await curl(`${node.url}/api/personas`, admin, persona)).status).toBe(201)
  const made = await curl<{ key: string }>(`${node.url}/api/personas/quoter/key`, admin, { name: 'a laptop' })
  const key = `x-api-key: ${made.json.key}`
  const posts = `${node.url}/api/threads/${thread}/posts`

  const begin = { parent: 1, state: 'streaming', clientId: 'q-1' }
  const { json, status } = await curl<{ post: Post }>(posts, key, begin)
  expect(status).toBe(201)
  const { number, run } = json.post
  expect(json.post.author).toMatchObject({ name: 'Quoter', kind: 'ai' })
  const append = (at: number, text: string) =>
    curl<{ length: number; code?: string }>(`${posts}/${number}/append`, key, { run, at, text })
  expect((await append(0, 'Here is ')).json).toEqual({ length: 8 })
  await vi.waitFor(() => expect(viewer.state.streams.get(number)?.text).toBe('Here is '))

  // Cut off in the midst of sending: the server has the head of the request and half of its body.
  const half = spawn('curl', [
    '--silent',
    '--limit-rate',
    '1',
    '--header',
    key,
    '--header',
    'content-type: application/json',
    '--data-binary',
    JSON.stringify({
      run,
      at: 8,
      text: 'a long word '.repeat(50),
    }),
    `${posts}/${number}/append`,
  ])
  await new Promise((resolve) => half.once('spawn', resolve))
  half.kill('SIGKILL')
  await new Promise((resolve) => half.once('exit', resolve))

  // Perhaps it arrived, perhaps it did not: the server tells.
  const { json: report } = await curl<{ run: { length: number; state: string } }>(
    `${posts}/${number}/run`,
    key,
  )
  expect(report.run.state).toBe('streaming')
  const whole = `Here is ${'a long word '.repeat(50)}and the end.`
  expect([8, 8 + 600]).toContain(report.run.length)
  expect((await append(report.run.length + 5, 'too far')).json).toMatchObject({ code: 'text-gap' })
  expect((await append(report.run.length, whole.slice(report.run.length))).json).toEqual({
    length: whole.length,
  })
  // And once more, as who got no answer would.
  expect((await append(report.run.length, whole.slice(report.run.length))).json).toEqual({
    length: whole.length,
  })

  const finished = await curl<{ post: Post }>(`${posts}/${number}/finish`, key, { run })
  expect(finished.json.post.state).toBe('complete')
  expect(await readBody(node.url, thread, number)).toBe(whole)
  await vi.waitFor(() => expect(viewer.state.posts[number - 1]?.state).toBe('complete'))
  expect(viewer.texts.get(run!)).toBe(whole)
  expect(viewer.faults).toEqual([])
  expect((await append(whole.length, ' more')).json).toMatchObject({ code: 'run-ended' })

  // Revoked, the key opens nothing.
  const keys = await curl<{ keys: { id: string }[] }>(`${node.url}/api/personas/quoter/keys`, admin)
  const [{ id }] = keys.json.keys as [{ id: string }]
  await promisify(execFile)('curl', [
    '-s',
    '-X',
    'DELETE',
    '-H',
    admin,
    `${node.url}/api/personas/quoter/keys/${id}`,
  ])
  expect((await curl<{ code: string }>(posts, key, { ...begin, clientId: 'q-2' })).status).toBe(401)
})
