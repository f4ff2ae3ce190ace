import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { endingWithParent } from '../helpers/server-process.ts'

/** A server that is measured. */
export interface Program {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Starts a Node program, which prints a line of JSON with its `url` when it listens. It ends with this process, in whatever
 * way that happens. With BENCH_PROFILE, a directory, it leaves a CPU profile there when it ends.
 */
export async function startNodeProgram(
  file: string,
  env: Record<string, string>,
  cwd = process.cwd(),
): Promise<Program> {
  const profile = process.env['BENCH_PROFILE']
  const args = profile === undefined ? [file] : ['--cpu-prof', `--cpu-prof-dir=${profile}`, file]
  const child = spawn(...endingWithParent(process.execPath, args), {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_ENV: 'production', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000))
  child.stderr.on('data', collect)
  const url = await new Promise<URL>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', function look(this: Interface, line) {
      const listening = /"url":"(http:[^"]+)"/.exec(line)?.[1]
      if (listening === undefined) return void collect(Buffer.from(`${line}\n`))
      // What it logs from now on is read and dropped: to look at it would take time from those who are measured.
      this.close()
      resolve(new URL(listening))
    })
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}:\n${output}`)))
  })
  child.stdout.resume()
  return {
    port: Number(url.port),
    pid: child.pid!,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill(profile === undefined ? 'SIGKILL' : 'SIGTERM')
      await gone
    },
  }
}

/** CPU that the processes and their children have used so far, in microseconds. The kernel counts in steps of 10 ms. */
export function cpuUs(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, pid) => sum + cpuOf(pid, pids.includes(pid)), 0)
}

/** Memory that the processes and their children hold, in bytes: the resident set. */
export function memoryBytes(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, pid) => {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]
    return sum + Number(kib ?? 0) * 1024
  }, 0)
}

const tickUs = 10_000

function cpuOf(pid: number, withEnded: boolean): number {
  // After the name, which stands in brackets and may hold anything.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number)
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
  return (user + system + (withEnded ? endedUser + endedSystem : 0)) * tickUs
}

function treeOf(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => {
    const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
    return [pid, ...treeOf(children)]
  })
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}
