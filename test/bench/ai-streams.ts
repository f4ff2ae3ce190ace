/**
 * How long a token of an AI reply takes from the model's server to the sockets of its readers, and how many bytes a reader is
 * sent: 8 replies of 2,000 tokens at 60 tokens a second in one thread, 200 readers who come and go on two nodes over one
 * Postgres and one Redis, all on this machine.
 *
 *     npx tsx test/bench/ai-streams.ts [streams] [readers]
 *
 * Needs Postgres and Redis. The clock starts when the model's server writes a token and stops when a socket in the same
 * process, one on each node, has a frame with the last of its characters. The other readers live in a process of their own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { performance } from 'node:perf_hooks'
import { WebSocket } from 'ws'
import { createAliases } from '../../client/aliases.ts'
import { readFrame } from '../../client/frames.ts'
import type { Post } from '../../shared/post.ts'
import { openLoadViewer, proseTokens, shake, type LoadViewer } from '../helpers/ai-load.ts'
import { ask, guest, startNode } from '../helpers/node.ts'
import { createDatabaseOn, startPostgres } from '../helpers/postgres.ts'
import { newThread } from '../helpers/postings.ts'
import { createRandom } from '../helpers/random.ts'
import { startRedis } from '../helpers/redis.ts'
import { startScriptedModel } from '../helpers/scripted-model.ts'

const [first = '8', second = '200'] = process.argv.slice(2)
const streams = Number(first)
const readers = Number(second)
const tokens = 2_000
const tokensPerSecond = 60

/** When each token of a reply was written, and how long the text was with it. */
interface Written {
  at: number[]
  end: number[]
}

async function main(): Promise<void> {
  const [postgres, redis, model] = await Promise.all([
    startPostgres({ fsync: true }),
    startRedis(),
    startScriptedModel(),
  ])
  const database = await createDatabaseOn(postgres.url)
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RATE_LIMITS: 'off',
    AI_BASE_URL: model.url,
    AI_MODEL: 'scripted',
  }
  const nodes = [await startNode(env)]
  nodes.push(await startNode(env))
  try {
    const host = await guest(nodes[0]!.url, 'Host')
    const thread = await newThread(nodes[0]!.url, host)
    const urls = nodes.map(({ url }) => url)
    const crowd = fork(import.meta.filename, ['crowd', thread, String(readers), ...urls], {
      execArgv: ['--import', 'tsx'],
    })
    await once(crowd, 'message')

    const random = createRandom(1)
    const replies: { first: string; written: Written; ms: number[] }[] = []
    let textBytes = 0
    model.script(() => {
      const text = proseTokens(tokens, random)
      const written: Written = { at: [], end: [] }
      // Told apart by their beginnings.
      text[0] = `R${replies.length} `
      replies.push({ first: text[0], written, ms: [] })
      textBytes += Buffer.byteLength(text.join(''))
      let end = 0
      return {
        text,
        tokensPerSecond,
        onToken(index) {
          end += text[index]!.length
          written.at.push(performance.now())
          written.end.push(end)
        },
      }
    })
    const samplers = urls.map((url) => sample(url, thread, replies))
    const cpuBefore = await Promise.all(urls.map(cpuSeconds))
    const began = performance.now()
    for (let i = 0; i < streams; i++) {
      await ask<{ post: Post }>(host, 'POST', `${urls[i % 2]}/api/threads/${thread}/posts/1/ask`, {
        persona: 'explain',
      })
    }
    const [bytes] = (await once(crowd, 'message')) as [{ most: number; drops: number }]
    const seconds = (performance.now() - began) / 1000
    const cpu = await Promise.all(urls.map(cpuSeconds))
    for (const socket of samplers) socket.close()
    const ms = replies.flatMap((reply) => reply.ms).toSorted((a, b) => a - b)
    const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(share * ms.length))]!.toFixed(1)
    console.log(
      `${streams} replies of ${tokens} tokens at ${tokensPerSecond}/s, ${readers} readers, two nodes`,
    )
    console.log(
      `token to socket: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${ms.length} samples)`,
    )
    console.log(
      `a reader was sent at most ${bytes.most} bytes for ${textBytes} bytes of text, its final HTML aside: ${(bytes.most / textBytes).toFixed(2)}x; ${bytes.drops} connections lost`,
    )
    console.log(
      `CPU of the nodes: ${cpu.map((each, i) => `${(((each - cpuBefore[i]!) / seconds) * 100).toFixed(0)} %`).join(' and ')} of a core`,
    )
    console.log(`load ${os.loadavg()[0]!.toFixed(1)}, Node ${process.version}`)
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')))
    await model.stop()
    await Promise.all([postgres.stop(), redis.stop()])
  }
}

/** A socket that does nothing but look at the clock. */
function sample(
  url: string,
  thread: string,
  replies: { first: string; written: Written; ms: number[] }[],
): WebSocket {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live`)
  const aliases = createAliases()
  const heard = new Map<string, { reply: (typeof replies)[number] | undefined; next: number }>()
  socket.on('open', () => socket.send(JSON.stringify({ type: 'join', thread, after: 0, brief: true })))
  socket.on('message', (data: Buffer) => {
    const now = performance.now()
    for (const said of readFrame(data.toString())) {
      const message = aliases.resolve(said)
      if (message?.type !== 'delta') continue
      let known = heard.get(message.run)
      if (known === undefined || known.reply === undefined) {
        known = { reply: replies.find(({ first }) => message.text.startsWith(first.trim())), next: 0 }
        heard.set(message.run, known)
      }
      const { reply } = known
      const end = message.at + message.text.length
      while (reply && known.next < reply.written.end.length && reply.written.end[known.next]! <= end) {
        reply.ms.push(now - reply.written.at[known.next++]!)
      }
    }
  })
  return socket
}

async function cpuSeconds(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
}

/** The readers who come and go. Says when all are there, and when all have seen the end. */
async function crowd([thread, count, ...urls]: string[]): Promise<void> {
  const random = createRandom(2)
  const viewers: LoadViewer[] = []
  for (let i = 0; i < Number(count); i++) viewers.push(await openLoadViewer(() => random.pick(urls), thread!))
  process.send!('there')
  const states = (viewer: LoadViewer) =>
    viewer.state.posts.flatMap((post) => (post?.run === undefined ? [] : [post.state]))
  const ended = () =>
    viewers.every((viewer) => states(viewer).length === streamsOf() && !states(viewer).includes('streaming'))
  const streamsOf = () => Math.max(...viewers.map((viewer) => states(viewer).length), 1)
  const began = performance.now()
  const nearEnd = () => performance.now() - began > (tokens / tokensPerSecond) * 1000 * 0.8
  const drops = await shake(viewers, random, nearEnd)
  while (!ended()) await new Promise((resolve) => setTimeout(resolve, 100))
  const final = viewers[0]!.state.posts.reduce(
    (sum, post) => sum + (post?.run ? Buffer.byteLength(post.html) : 0),
    0,
  )
  const most = Math.max(...viewers.map(({ bytes }) => bytes)) - final
  process.send!({ most, drops })
  for (const viewer of viewers) viewer.close()
  process.disconnect()
}

await (first === 'crowd' ? crowd(process.argv.slice(3)) : main())
