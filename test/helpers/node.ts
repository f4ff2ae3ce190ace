import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '../..')

/** A Numinex server in a process of its own. */
export interface TestNode {
  readonly url: string
  readonly pid: number
  /** Its log so far, one JSON object a line. */
  log(): string
  /** Whether the process still runs. */
  readonly running: boolean
  /** Sends a signal, and with SIGKILL or SIGTERM resolves once it is gone; gives the exit code. */
  kill(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts a server from its sources on a free port; resolves when it listens. `env` is all that it is told. */
export async function startNode(env: Record<string, string>): Promise<TestNode> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      LINKS: 'off',
      // The views need its way of writing elements; the root's own file names projects only.
      TSX_TSCONFIG_PATH: 'tsconfig.base.json',
      ...env,
    } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log += `${line}\n`
      const listening = /"url":"(http:[^"]+)"/.exec(line)?.[1]
      if (listening) resolve(listening)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log}`)))
  })
  return {
    url,
    pid: child.pid!,
    log: () => log,
    get running() {
      return isRunning(child)
    },
    async kill(signal) {
      if (!isRunning(child)) return child.exitCode
      const gone = once(child, 'exit')
      child.kill(signal)
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await gone
      return child.exitCode
    },
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** Signs a guest in and gives the headers that make requests theirs. */
export async function guest(url: string, name = 'Ada'): Promise<Guest> {
  const answer = await fetch(`${url}/api/auth/sign-in/anonymous`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  })
  if (!answer.ok) throw new Error(`sign-in failed: ${answer.status} ${await answer.text()}`)
  const token = answer.headers.get('set-auth-token')!
  const { user } = (await answer.json()) as { user: { id: string } }
  return {
    id: user.id,
    token,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  }
}

export interface Guest {
  id: string
  token: string
  headers: { authorization: string; 'content-type': string }
}

/** Asks as JSON; throws on anything but success. */
export async function ask<T>(who: Guest, method: string, url: string, body?: unknown): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: who.headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}
