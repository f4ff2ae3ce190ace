import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that a test started for itself and may do anything to. It listens on 127.0.0.1. */
export interface TestServer {
  readonly url: string
  readonly port: number
  /** Of the process that runs now: a restart changes it. */
  readonly pid: number
  /** Ends it in its regular way and removes its files. */
  stop(): Promise<void>
  /** Sends a signal to it and its children. With SIGKILL, resolves once it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Ends it if it runs, and starts it again on the same port and data. Resolves when it answers. */
  restart(): Promise<void>
  /** Freezes it: connections stay open and nothing answers. */
  pause(): void
  resume(): void
}

export interface ServerProgram {
  name: string
  url(port: number): string
  port: number
  directory: string
  command: string
  args: string[]
  user?: { uid: number; gid: number } | undefined
  stopSignal: NodeJS.Signals
  /** Whether it answers. */
  answers(port: number): Promise<boolean>
}

const startTimeoutMs = 30_000
const stopTimeoutMs = 10_000
const pollMs = 30

export async function startServer(program: ServerProgram): Promise<TestServer> {
  let child = await launch(program)
  const end = async (signal: NodeJS.Signals) => {
    if (hasEnded(child)) return
    const ended = once(child, 'exit')
    signalTree(child.pid!, 'SIGCONT')
    signalTree(child.pid!, signal)
    const timer = setTimeout(() => signalTree(child.pid!, 'SIGKILL'), stopTimeoutMs)
    await ended
    clearTimeout(timer)
  }
  return {
    port: program.port,
    url: program.url(program.port),
    get pid() {
      return child.pid!
    },
    async stop() {
      await end(program.stopSignal)
      fs.rmSync(program.directory, { recursive: true, force: true, maxRetries: 5 })
    },
    async kill(signal) {
      if (signal === 'SIGKILL') await end(signal)
      else signalTree(child.pid!, signal)
    },
    async restart() {
      await end(program.stopSignal)
      child = await launch(program)
    },
    pause: () => signalTree(child.pid!, 'SIGSTOP'),
    resume: () => signalTree(child.pid!, 'SIGCONT'),
  }
}

/** Starts the program and waits until it answers. Throws with its last output when it ends before. */
async function launch(program: ServerProgram): Promise<ChildProcess> {
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const child = run(program)
    let output = ''
    const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000))
    child.stdout!.on('data', collect)
    child.stderr!.on('data', collect)
    while (!hasEnded(child) && Date.now() < deadline) {
      if (await program.answers(program.port)) return child
      await sleep(pollMs)
    }
    if (!hasEnded(child)) child.kill('SIGKILL')
    // After kill -9 the old one's children may hold its memory or port for a moment longer.
    const busy = /in use|still running/.test(output)
    if (!busy || Date.now() > deadline) throw new Error(`${program.name} did not start:\n${output}`)
    await sleep(100)
  }
}

function run({ command, args, user, directory }: ServerProgram): ChildProcess {
  const options = { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'] }
  return spawn(...endingWithParent(command, args, user), {
    ...options,
    ...(process.platform !== 'linux' && user),
  })
}

/**
 * The command line that runs a program, as `user` where given, so that the kernel ends it when the process that started
 * it ends, in whatever way that happens. Only on Linux; elsewhere the program as it is.
 */
export function endingWithParent(
  command: string,
  args: string[],
  user?: { uid: number; gid: number },
): [command: string, args: string[]] {
  if (process.platform !== 'linux') return [command, args]
  const options = ['--pdeathsig', 'KILL']
  if (user) options.push(`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups')
  return ['setpriv', [...options, '--', command, ...args]]
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Postgres gives each connection a process of its own; they are frozen and killed with it, or it would not be one server. */
function signalTree(pid: number, signal: NodeJS.Signals): void {
  const withChildren = signal === 'SIGSTOP' || signal === 'SIGCONT' || signal === 'SIGKILL'
  for (const target of [pid, ...(withChildren ? childrenOf(pid) : [])]) {
    try {
      process.kill(target, signal)
    } catch {
      // It has ended by itself.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    const list = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** A new directory in the system's place for temporary files, which `user` may write to. */
export function temporaryDirectory(name: string, user?: { uid: number; gid: number }): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `numinex-${name}-`))
  if (user) fs.chownSync(directory, user.uid, user.gid)
  return directory
}

/**
 * A port nobody listens on. It lies below the range the system takes outgoing ports from: a client that tries
 * to reach a server that is down can otherwise be given the server's port, and connects to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000)
    const server = net.createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (free) return port
  }
}
