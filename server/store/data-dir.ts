import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Another process uses the data directory. */
export class DataDirInUse extends Error {}

interface Holder {
  pid: number
  /** When that process started, so that a reused pid is not taken for it; empty where the system does not tell. */
  started: string
  host: string
}

/**
 * Claims a data directory for this process, creating it if need be. The claim of a process that is gone is taken over.
 * Throws `DataDirInUse` while another one lives. Returns what gives the claim up.
 */
export function lockDataDir(dir: string): () => void {
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = path.join(dir, 'lock')
  const mine: Holder = { pid: process.pid, started: startTime(process.pid), host: os.hostname() }
  // Written aside and linked into place: the lock file is never seen half-written, and only one process can link it.
  const draft = `${file}.${process.pid}`
  fs.writeFileSync(draft, JSON.stringify(mine))
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        fs.linkSync(draft, file)
        const beat = setInterval(() => touch(file), beatMs)
        beat.unref()
        return () => {
          clearInterval(beat)
          fs.rmSync(file, { force: true })
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readHolder(file)
      if (attempt >= 5 || (holder && isAlive(holder, file))) throw inUse(dir, file, holder)
      takeAway(file, holder)
    }
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

function inUse(dir: string, file: string, holder: Holder | undefined): DataDirInUse {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  return new DataDirInUse(
    `The data directory ${path.resolve(dir)} is in use by ${who}. The embedded database serves one process: ` +
      `stop the other one, set DATA_DIR to another directory, or set DATABASE_URL to share a Postgres. ` +
      `If that process is certainly gone, remove ${file}, or wait ten seconds if it ran on another host.`,
  )
}

/** Moves a dead process's lock aside; if a new one was put there meanwhile, puts that back. */
function takeAway(file: string, expected: Holder | undefined): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    fs.renameSync(file, aside)
  } catch {
    return // someone else was faster
  }
  const moved = readHolder(aside)
  if (moved && expected && (moved.pid !== expected.pid || moved.started !== expected.started)) {
    fs.linkSync(aside, file)
  }
  fs.rmSync(aside, { force: true })
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

/** How often a holder shows that it lives, and when one on another host that does not is taken for dead. */
const beatMs = 2_000
const deadMs = 10_000

function touch(file: string): void {
  try {
    fs.utimesSync(file, new Date(), new Date())
  } catch {
    // Whoever removed the file meant to.
  }
}

function isAlive(holder: Holder, file: string): boolean {
  // Another host's processes (another container's, too) cannot be asked: there the file's own time tells.
  if (holder.host !== os.hostname()) return Date.now() - fs.statSync(file).mtimeMs < deadMs
  if (holder.pid === process.pid) return holder.started === startTime(process.pid) && holder.started !== ''
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return startTime(holder.pid) === holder.started
}

/** Field 22 of /proc/PID/stat: clock ticks from boot to the start of the process. */
function startTime(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return ''
  }
}
