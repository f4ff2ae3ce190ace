import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { endingWithParent } from '../../helpers/server-process.ts'

type Methods = Record<string, (argument: never) => unknown>

/** A process of the load. It ends with the one that started it. */
export interface Worker<M extends Methods> {
  readonly pid: number
  call<K extends keyof M & string>(
    method: K,
    argument: Parameters<M[K]>[0],
  ): Promise<Awaited<ReturnType<M[K]>>>
  stop(): Promise<void>
}

interface Question {
  id: number
  method: string
  argument: unknown
}

interface Answer {
  id: number
  result?: unknown
  error?: string
}

/** Starts the file as a process that answers calls of its methods. */
export function startWorker<M extends Methods>(file: string): Worker<M> {
  const child = spawn(...endingWithParent(process.execPath, ['--import', 'tsx', file]), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  let last = 0
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  child.on('exit', () => {
    for (const [id, settle] of waiting) settle({ id, error: 'the process of the load has ended' })
  })
  return {
    pid: child.pid!,
    async call(method, argument) {
      const id = ++last
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
      child.send({ id, method, argument } satisfies Question)
      const { error, result } = await answered
      if (error !== undefined) throw new Error(error)
      return result as never
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

/** In the process: answers the calls. */
export function answerCalls(methods: Methods): void {
  const answer = async ({ id, method, argument }: Question): Promise<Answer> => {
    try {
      return { id, result: await methods[method]!(argument as never) }
    } catch (error) {
      return { id, error: (error as Error).stack ?? String(error) }
    }
  }
  process.on('message', (question: Question) => void answer(question).then((each) => process.send!(each)))
  process.on('disconnect', () => process.exit())
}
