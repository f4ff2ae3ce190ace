/**
 * What a viewer costs: bytes of the server's resident memory and its CPU for each of many sockets that join one thread; then
 * how long a post takes to reach all of them, and what it costs when all are cut off and come back at once, also while AI
 * replies are being written.
 *
 *     npm run build && npx tsx test/bench/viewer-memory.ts [viewers] [dist directory]
 *
 * Needs Postgres, Redis and as many file descriptors as there are viewers, twice. The server is one process of the built
 * code; the clients share this machine with it, so what counts is the server's CPU rather than the clock.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inspectable, liveHeap } from '../helpers/heap.ts'
import { ask, guest, type Guest } from '../helpers/node.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { newThread, readThread } from '../helpers/postings.ts'
import { serveCrowd, sharedNow, type Joined } from '../helpers/raw-crowd.ts'
import { startRedis } from '../helpers/redis.ts'
import { startScriptedModel } from '../helpers/scripted-model.ts'

const [first = '10000', dist = path.resolve(import.meta.dirname, '../../dist')] = process.argv.slice(2)
const viewers = Number(first)
/** Replies that are written while the last storms come. The first token of each is as long as a reply that is half done. */
const streams = 4
const tokens = ['A long beginning. '.repeat(350), ...Array.from({ length: 10_000 }, (_, i) => ` word${i}`)]
/** How long the server is left alone before its memory is read, in milliseconds. */
const idleMs = 5_000

async function main(): Promise<void> {
  const [postgres, redis, model] = await Promise.all([
    startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } }),
    startRedis(),
    startScriptedModel({ script: { text: tokens, tokensPerSecond: 60 } }),
  ])
  const server = await startBuilt({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    AI_BASE_URL: model.url,
    AI_MODEL: 'scripted',
    AI_STREAMS: '8',
  })
  const crowd = fork(import.meta.filename, ['crowd'], { execArgv: ['--import', 'tsx'] })
  const told = async <T>(order: object): Promise<T> => {
    crowd.send(order)
    return ((await once(crowd, 'message')) as [T])[0]
  }
  const database = new pg.Client({ connectionString: postgres.url })
  await database.connect()
  await database.query('CREATE EXTENSION pg_stat_statements')
  /** Statements of the server since this was last asked, those aside with which replies are kept and paid for. */
  const statements = async () => {
    const { rows } = await database.query<{ calls: string }>(
      `SELECT calls FROM pg_stat_statements WHERE query !~ 'pg_stat_statements|runs|ai_budgets|personas|^(begin|commit)'`,
    )
    await database.query('SELECT pg_stat_statements_reset()')
    return rows.reduce((sum, { calls }) => sum + Number(calls), 0)
  }
  try {
    const host = await guest(server.url, 'Host')
    const thread = await newThread(server.url, host)
    for (let i = 0; i < 20; i++) await post(server.url, host, thread, `Post ${i}`)
    const head = async () => (await readThread(server.url, thread)).seq
    // What is loaded once is no viewer's.
    await told({ do: 'join', url: server.url, thread, after: await head(), count: 200 })
    await told({ do: 'cut' })
    await sleep(idleMs)
    const heapBefore = await liveHeap(server)

    const phases = [
      'first',
      'storm',
      'storm while replies wait for their model',
      'storm while replies stream',
    ] as const
    for (const title of phases) {
      const streaming = title.includes('replies')
      if (title !== 'first') await told({ do: 'cut' })
      if (streaming) {
        const script = { text: tokens, tokensPerSecond: 60 }
        model.script(title === phases[3] ? script : { ...script, fault: 'stall', faultAfter: 1 })
        for (let i = 0; i < streams; i++)
          await ask(host, 'POST', `${server.url}/api/threads/${thread}/posts/1/ask`, { persona: 'explain' })
        await sleep(3_000)
      }
      const after = await head()
      await statements()
      const before = usage(server.child)
      const { ms, bytes } = await told<Joined>({ do: 'join', url: server.url, thread, after, count: viewers })
      const joined = usage(server.child)
      const queries = await statements()
      const cpu = joined.cpuMs - before.cpuMs
      console.log(
        `${title}: ${viewers} joined in ${(ms / 1000).toFixed(1)} s; server CPU ${(cpu / 1000).toFixed(2)} s, ` +
          `${((cpu / viewers) * 1000).toFixed(0)} us a join; ${queries} statements; ${bytes} bytes of the first \`joined\``,
      )
      if (title === 'first') {
        await sleep(idleMs)
        const after = usage(server.child)
        const kib = (each: number) => `${(each / viewers / 1024).toFixed(1)} KiB`
        console.log(
          `RSS before ${mib(before.rss)}, joined ${mib(joined.rss)}, after ${idleMs / 1000} s ${mib(after.rss)}: ` +
            `${kib(after.rss - before.rss)} a viewer (just joined: ${kib(joined.rss - before.rss)})`,
        )
        console.log(`live heap: ${kib((await liveHeap(server)) - heapBefore)} a viewer`)
        const resting = usage(server.child)
        // Collecting the garbage held it up, which is not meant.
        await longestTurn(server.url)
        await sleep(20_000)
        console.log(
          `at rest: ${((usage(server.child).cpuMs - resting.cpuMs) / 20).toFixed(1)} ms of CPU a second; ` +
            `longest turn ${await longestTurn(server.url)} ms; RSS ${mib(usage(server.child).rss)}`,
        )
      }
      if (streaming) continue
      const posts: number[][] = []
      for (let i = 0; i < 5; i++) {
        const mark = randomBytes(6).toString('hex')
        const heard = told<number[]>({ do: 'hear', mark })
        const at = sharedNow()
        await post(server.url, host, thread, mark)
        posts.push((await heard).map((time) => time - at).toSorted((a, b) => a - b))
        await sleep(1_000)
      }
      const p99s = posts.map((times) => times[Math.floor(times.length * 0.99)]!.toFixed(0))
      console.log(`a post to all: p99 of five ${p99s.join(', ')} ms`)
    }
  } finally {
    crowd.kill()
    await database.end()
    server.child.kill('SIGKILL')
    await model.stop()
    await Promise.all([postgres.stop(), redis.stop()])
  }
}

async function post(url: string, who: Guest, thread: string, body: string): Promise<void> {
  const clientId = randomBytes(8).toString('hex')
  await ask(who, 'POST', `${url}/api/threads/${thread}/posts`, { parent: 1, body, clientId })
}

interface Built {
  readonly url: string
  readonly child: ChildProcess
  log(): string
}

async function startBuilt(env: Record<string, string>): Promise<Built> {
  const always = {
    PATH: process.env['PATH'],
    NODE_ENV: 'production',
    PORT: '0',
    LINKS: 'off',
    RATE_LIMITS: 'off',
  }
  const child = spawn(process.execPath, [path.join(dist, 'server/main.js')], {
    env: { ...always, ...inspectable, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /"url":"(http:[^"]+)"/.exec(line)?.[1]
    if (url === undefined) continue
    child.stdout.resume()
    return { url, child, log: () => log }
  }
  throw new Error(`the server did not start: ${log}`)
}

/** Bytes of resident memory, and milliseconds of CPU so far, as the kernel counts them. */
function usage({ pid }: ChildProcess): { rss: number; cpuMs: number } {
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
  const [, , , , , , , , , , , , user, system] = fs
    .readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/\(.*\)/, '')
    .split(/\s+/)
  return { rss, cpuMs: (Number(user) + Number(system)) * 10 }
}

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`

/** How long the event loop was held up at the most since it was last asked, in milliseconds. */
async function longestTurn(url: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return (Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1000).toFixed(0)
}

if (first === 'crowd') serveCrowd()
else await main()
