import { fork, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createArticleWorkers } from '../../server/links/article-workers.ts'

/** What a worker may answer that a page has taken over. */

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-worker-'))
afterAll(() => fs.rmSync(directory, { recursive: true }))

/** A worker that answers everything with the same. */
function liar(answer: string): () => ChildProcess {
  const file = path.join(directory, `${fs.readdirSync(directory).length}.mjs`)
  fs.writeFileSync(file, `process.on('message', () => process.send(${answer}))`)
  return () =>
    fork(file, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' })
}

const raw = { type: 'text/html', charset: undefined, bytes: new Uint8Array(1), name: 'page' }
const never = new AbortController().signal
const honest = (more = '', section = `{ heading: null, text: 'Words' }`, times = 1) =>
  `{ text: { title: 'Page', hash: 'a'.repeat(64), sections: Array(${times}).fill(${section}) ${more} } }`

test.each([
  ['a title that is none', honest(', title: 1')],
  ['a hash that is none', honest(`, hash: '"><script>'`)],
  ['no sections', honest(', sections: []')],
  ['a text that is none', honest('', '{ heading: null, text: { toString: 1 } }')],
  ['a long text', honest('', `{ heading: null, text: 'x'.repeat(6_001) }`)],
  ['a long heading', honest('', `{ heading: 'x'.repeat(300), text: 'x' }`)],
  ['many sections', honest('', undefined, 401)],
  ['many long sections', honest('', `{ heading: null, text: 'x'.repeat(6_000) }`, 200)],
  ['a failure that is none', `{ failure: 'constructor', detail: '' }`],
  ['nothing', 'null'],
])('%s ends the worker, and the page cannot be read', async (_what, answer) => {
  const workers = createArticleWorkers({}, liar(answer))
  await expect(workers.extract(raw, never)).rejects.toMatchObject({ failure: 'complex' })
  expect(workers.pids).toEqual([])
  await workers.close()
})

test('what it may say is believed', async () => {
  const workers = createArticleWorkers({}, liar(honest(', more: 1')))
  expect(await workers.extract(raw, never)).toEqual({
    title: 'Page',
    hash: 'a'.repeat(64),
    sections: [{ heading: null, text: 'Words' }],
  })
  expect(workers.pids).toHaveLength(1)
  await workers.close()
})
