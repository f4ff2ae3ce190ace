import { fork, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { workerAnswer, type WorkerAnswer } from './article-answer.ts'
import type { ExtractedText, RawPage } from './article-extract.ts'
import { Unreadable } from './article-failure.ts'
import { turns } from './turns.ts'
import { articleLimits } from './limits.ts'

export interface ArticleWorkers {
  /** Reads a page. Throws Unreadable, or the signal's reason. */
  extract(raw: RawPage, signal: AbortSignal): Promise<ExtractedText>
  /** The process ids of those that are there, at work or idle. */
  readonly pids: readonly number[]
  /** Ends them, whatever they do. */
  close(): Promise<void>
}

export interface WorkerLimits {
  /** Milliseconds for one page. */
  readonly extractMs: number
  /** Milliseconds that a worker without work is kept. */
  readonly idleMs: number
}

/**
 * Processes that read pages, made when there is something to read. Whatever a page does to one of them (endless work,
 * all of its memory) ends that process and nothing else. Threads would not do: a thread that runs out of memory in
 * the wrong moment takes the whole server with it.
 */
export function createArticleWorkers(
  limits: Partial<WorkerLimits> = {},
  startWorker: () => ChildProcess = forkWorker,
): ArticleWorkers {
  const { extractMs = articleLimits.extractMs, idleMs = articleLimits.workerIdleMs } = limits
  const all = new Set<ChildProcess>()
  const idle = new Map<ChildProcess, NodeJS.Timeout>()
  const withTurn = turns(articleLimits.workers, Infinity)
  let closed = false
  return {
    async extract(raw, signal) {
      const text = await withTurn(async () => {
        signal.throwIfAborted()
        if (closed) throw new Error('the workers are closed')
        return await run(takeIdle() ?? start(), raw, signal)
      })
      return text!
    },
    get pids() {
      return [...all].flatMap(({ pid }) => pid ?? [])
    },
    async close() {
      closed = true
      await Promise.all([...all].map(end))
    },
  }

  function start(): ChildProcess {
    const worker = startWorker()
    all.add(worker)
    const forget = () => {
      all.delete(worker)
      clearTimeout(idle.get(worker))
      idle.delete(worker)
    }
    // Who waits for it hears of errors by its own listener.
    worker.once('exit', forget).on('error', () => worker.pid === undefined && forget())
    return worker
  }

  function takeIdle(): ChildProcess | undefined {
    for (const [worker, timer] of idle) {
      clearTimeout(timer)
      idle.delete(worker)
      return worker
    }
    return undefined
  }

  function putBack(worker: ChildProcess): void {
    worker.unref()
    worker.channel?.unref()
    const timer = setTimeout(() => void end(worker), idleMs)
    timer.unref()
    idle.set(worker, timer)
  }

  async function end(worker: ChildProcess): Promise<void> {
    clearTimeout(idle.get(worker))
    idle.delete(worker)
    if (!all.has(worker)) return
    worker.ref()
    await new Promise<void>((resolve) => {
      worker.once('exit', () => resolve())
      worker.kill('SIGKILL')
    })
  }

  /** One page by one worker, which is ended when it does not come to an end with it. */
  async function run(worker: ChildProcess, raw: RawPage, signal: AbortSignal): Promise<ExtractedText> {
    const answer = await ask(worker, raw, signal).catch(async (error: unknown) => {
      await end(worker)
      throw error
    })
    putBack(worker)
    if ('failure' in answer) throw new Unreadable(answer.failure, new Error(answer.detail))
    return answer.text
  }

  function ask(worker: ChildProcess, raw: RawPage, signal: AbortSignal): Promise<WorkerAnswer> {
    // Who waits for a page keeps the process alive, as with any other work.
    worker.ref()
    worker.channel?.ref()
    return new Promise<WorkerAnswer>((resolve, reject) => {
      const onError = (error: Error | null) => error && settle(() => reject(new Unreadable('complex', error)))
      const onExit = (code: number | null, by: string | null) =>
        onError(new Error(`the worker ended with ${by ?? code}`))
      const onAbort = () => settle(() => reject(signal.reason as Error))
      const onMessage = (answer: unknown) => {
        const { success, data } = workerAnswer.safeParse(answer)
        settle(() =>
          success ? resolve(data) : reject(new Unreadable('complex', new Error('the worker talks nonsense'))),
        )
      }
      const timer = setTimeout(() => settle(() => reject(new Unreadable('slow'))), extractMs)
      worker.on('message', onMessage).on('error', onError).on('exit', onExit)
      signal.addEventListener('abort', onAbort)
      worker.send(raw, onError)

      function settle(tell: () => void): void {
        clearTimeout(timer)
        worker.off('message', onMessage).off('error', onError).off('exit', onExit)
        signal.removeEventListener('abort', onAbort)
        tell()
      }
    })
  }
}

/** The worker's file lies beside this one, in sources as compiled. */
function forkWorker(): ChildProcess {
  const extension = path.extname(new URL(import.meta.url).pathname)
  return fork(fileURLToPath(new URL(`./article-worker${extension}`, import.meta.url)), {
    execArgv: [
      `--max-old-space-size=${articleLimits.workerHeapMb}`,
      ...(extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : []),
    ],
    // A page that should take the worker over finds no secrets in its own environment, and no way to the server's output. It
    // runs as the same user, though, and is no sandbox: where the system lets it, it can read the server's files, and on Linux
    // the server's environment in /proc. Node's permissions would hold programs that mean well, and not one like this.
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  })
}
