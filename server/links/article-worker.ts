/** The process that reads strangers' pages: one at a time, until it is ended from outside. */
import { Worker } from 'node:worker_threads'
import type { WorkerAnswer } from './article-answer.ts'
import { extractText, type RawPage } from './article-extract.ts'
import { Unreadable } from './article-failure.ts'
import { articleLimits } from './limits.ts'

// While a page is read nothing else gets a turn in this thread, so another one looks after the process: it ends it when
// it has grown too much (buffers are not part of the heap, whose size Node limits) or the server has gone.
const watcher = `
  const { most, every, parent } = require('node:worker_threads').workerData
  setInterval(() => {
    if (process.memoryUsage.rss() > most || process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
  }, every)`
new Worker(watcher, {
  eval: true,
  execArgv: [],
  workerData: { most: articleLimits.workerBytes, every: articleLimits.watchMs, parent: process.ppid },
}).unref()

process.on('message', (raw: RawPage) => void answer(raw).then((message) => process.send?.(message)))

async function answer({ bytes, ...raw }: RawPage): Promise<WorkerAnswer> {
  try {
    const { title, hash, sections } = await extractText({ ...raw, bytes: new Uint8Array(bytes) })
    return { text: { title, hash, sections: [...sections] } }
  } catch (error) {
    return { failure: error instanceof Unreadable ? error.failure : 'complex', detail: detailOf(error) }
  }
}

function detailOf(error: unknown): string {
  const cause = error instanceof Unreadable ? (error.cause ?? error) : error
  return String(cause instanceof Error ? cause.message : cause).slice(0, 200)
}
