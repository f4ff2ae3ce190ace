import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { guest, type Guest } from '../helpers/node.ts'
import { newThread } from '../helpers/postings.ts'
import type { WireName } from './load/wires.ts'
import { startNchan } from './peers/nchan.ts'
import { startNodeProgram, type Program } from './processes.ts'
import type { Services } from './services.ts'

/** `before` is Numinex from another directory, to compare two states of it. */
export type SystemName = 'numinex' | 'before' | 'socket.io' | 'ws' | 'nchan'

/** A running system. */
export interface System {
  readonly wire: WireName
  /** Of each of its nodes. */
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  newThread(): Promise<string>
  /** The `authorization` of so many people who write; empty texts where the system knows none. */
  writers(count: number): Promise<string[]>
  stop(): Promise<void>
}

export interface NuminexOptions {
  nodes?: number
  redisUrl?: string
  /** More settings. */
  env?: Record<string, string>
}

/** Where each system's code and database are. */
export interface Places {
  services: Services
  /** Of the project that is measured, and of the state of it to compare with. */
  root: string
  beforeRoot?: string | undefined
}

export async function startNuminex(
  places: Places,
  name: 'numinex' | 'before',
  { nodes = 1, redisUrl, env }: NuminexOptions = {},
): Promise<System> {
  const root = name === 'before' ? places.beforeRoot! : places.root
  const settings = {
    DATABASE_URL: places.services.databases[name],
    REDIS_URL: redisUrl ?? places.services.redis.url,
    RATE_LIMITS: 'off',
    LINKS: 'off',
    ...env,
  }
  const programs: Program[] = []
  // One after the other: the first makes the tables.
  for (let i = 0; i < nodes; i++) {
    programs.push(await startNodeProgram(path.join(root, 'dist/server/main.js'), settings, root))
  }
  const url = `http://127.0.0.1:${programs[0]!.port}`
  let host: Promise<Guest> | undefined
  return {
    wire: 'numinex',
    ...together(programs),
    newThread: async () => await newThread(url, await (host ??= guest(url, 'Host'))),
    async writers(count) {
      const guests = await Promise.all(Array.from({ length: count }, (_, i) => guest(url, `Writer ${i + 1}`)))
      return guests.map(({ headers }) => headers.authorization)
    },
  }
}

export async function startSystem(places: Places, name: SystemName): Promise<System> {
  const { databases, redis } = places.services
  const peer = (file: string) => path.join(import.meta.dirname, 'peers', file)
  switch (name) {
    case 'numinex':
    case 'before':
      return await startNuminex(places, name)
    case 'ws':
      return strangers('ws', await startNodeProgram(peer('ws.js'), { DATABASE_URL: databases.peers }))
    case 'socket.io': {
      const env = { DATABASE_URL: databases.peers, REDIS_URL: redis.url }
      return strangers('socket.io', await startNodeProgram(peer('socket-io.js'), env))
    }
    case 'nchan':
      return strangers('nchan', await startNchan())
  }
}

/** A peer: its threads need no making, and anyone may write. */
function strangers(wire: WireName, program: Program): System {
  return {
    wire,
    ...together([program]),
    newThread: () => Promise.resolve(`t${randomBytes(6).toString('hex')}`),
    writers: (count) => Promise.resolve(Array.from({ length: count }, () => '')),
  }
}

function together(programs: readonly Program[]) {
  return {
    ports: programs.map(({ port }) => port),
    pids: programs.map(({ pid }) => pid),
    stop: async () => {
      await Promise.all(programs.map((program) => program.stop()))
    },
  }
}
