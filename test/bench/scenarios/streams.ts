import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createAliases } from '../../../client/aliases.ts'
import { readFrame } from '../../../client/frames.ts'
import type { Down } from '../../../shared/live.ts'
import { proseTokens } from '../../helpers/ai-load.ts'
import { ask } from '../../helpers/node.ts'
import { createRandom } from '../../helpers/random.ts'
import { startScriptedModel } from '../../helpers/scripted-model.ts'
import { cpuUs } from '../processes.ts'
import type { Scenario } from '../scenario.ts'
import { percentiles } from '../stats.ts'
import { startNuminex } from '../systems.ts'

const streams = 8
const tokensPerSecond = 60
const viewers = 1_000
/** In the model's own process, so that they go by its clock; one joined before the crowd and one after it. */
const samplers = 2
const seconds = 10
/** Until all replies are being written. */
const calmMs = 2_000

/** When each token of a reply was written, and how long the text was with it. */
interface Reply {
  first: string
  at: number[]
  end: number[]
}

export const aiStreams: Scenario = {
  name: 'streams',
  title: 'AI replies that are being written',
  about: `${streams} AI replies of ${tokensPerSecond} tokens/s each, from a scripted model, to ${viewers} viewers of one thread on one node. Measured for ${seconds} s in the midst. The clock begins when the model's server writes a token, and stops when a socket has a frame with the last of its characters.`,
  variants: ['numinex'],
  metrics: [
    { key: 'core', label: 'server, share of one core', better: 'lower' },
    { key: 'p95', label: 'token to socket, p95, ms', better: 'lower' },
    { key: 'p50', label: 'token to socket, p50, ms', better: 'lower' },
    { key: 'cpu', label: 'CPU a token and viewer, µs', better: 'lower' },
    { key: 'frames', label: 'frames a viewer and second' },
    { key: 'bytes', label: 'bytes a viewer and byte of text' },
    { key: 'postgres', label: 'Postgres, share of one core' },
    { key: 'redis', label: 'Redis, share of one core' },
    { key: 'crowdCores', label: 'load: viewers, cores' },
    { key: 'samples', label: 'tokens timed' },
  ],
  charts: [],
  async run(bench, variant) {
    const name = variant === 'before' ? 'before' : 'numinex'
    const model = await startScriptedModel()
    const env = { AI_BASE_URL: model.url, AI_MODEL: 'scripted' }
    const system = await startNuminex(bench, name, { env })
    const sockets: WebSocket[] = []
    try {
      const port = system.ports[0]!
      const url = `http://127.0.0.1:${port}`
      const thread = await system.newThread()
      const [authorization] = await system.writers(1)
      const length = bench.quick ? 3 : seconds
      const tokens = (length + calmMs / 1e3 + 4) * tokensPerSecond
      const replies: Reply[] = []
      const ms: number[] = []
      let textBytes = 0
      const random = createRandom(1)
      model.script(() => {
        const text = proseTokens(tokens, random)
        // Told apart by their beginnings.
        text[0] = `R${replies.length} `
        const reply: Reply = { first: text[0], at: [], end: [] }
        replies.push(reply)
        let end = 0
        const onToken = (index: number) => {
          end += text[index]!.length
          textBytes += Buffer.byteLength(text[index]!)
          reply.at.push(performance.now())
          reply.end.push(end)
        }
        return { text, tokensPerSecond, onToken }
      })
      sockets.push(await sample(url, thread, replies, ms))
      const groups = [{ port, thread, viewers, sampled: 0, shortest: 2 }]
      await bench.crowd.call('open', { wire: system.wire, groups, atOnce: 200 })
      while (sockets.length < samplers) sockets.push(await sample(url, thread, replies, ms))
      const who = {
        id: '',
        token: '',
        headers: { authorization: authorization!, 'content-type': 'application/json' as const },
      }
      for (let i = 0; i < streams; i++) {
        await ask(who, 'POST', `${url}/api/threads/${thread}/posts/1/ask`, { persona: 'explain' })
      }
      await sleep(calmMs)

      const servers = [system.pids, [bench.services.postgres.pid], [bench.services.redis.pid]]
      await bench.crowd.call('mark', undefined)
      ms.length = textBytes = 0
      const before = servers.map(cpuUs)
      const beganAt = performance.now()
      await sleep(length * 1e3)
      const elapsedUs = (performance.now() - beganAt) * 1e3
      const [cpu, postgres, redis] = servers.map((pids, i) => cpuUs(pids) - before[i]!) as [
        number,
        number,
        number,
      ]
      const text = textBytes
      const timed = [...ms]
      const heard = await bench.crowd.call('look', undefined)
      const { p50, p95 } = percentiles(timed)
      const notes = replies.length === streams ? [] : [`${replies.length} replies were asked for`]
      return {
        numbers: {
          core: cpu / elapsedUs,
          p50,
          p95,
          cpu: cpu / (timed.length / samplers) / viewers,
          frames: heard.frames / viewers / (elapsedUs / 1e6),
          bytes: heard.bytes / viewers / text,
          postgres: postgres / elapsedUs,
          redis: redis / elapsedUs,
          crowdCores: heard.cpuUs / elapsedUs,
          samples: timed.length,
        },
        notes: [...notes, ...heard.notes],
      }
    } finally {
      for (const socket of sockets) socket.terminate()
      await bench.crowd.call('drop', undefined)
      await system.stop()
      await model.stop()
    }
  },
}

/** A socket that does nothing but look at the clock. Resolves when it has joined. */
function sample(url: string, thread: string, replies: readonly Reply[], ms: number[]): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live`, { perMessageDeflate: false })
  const aliases = createAliases()
  const heard = new Map<string, { reply: Reply | undefined; next: number }>()
  const note = (message: Extract<Down, { type: 'delta' }>, now: number) => {
    const known = heard.get(message.run) ?? {
      reply: replies.find(({ first }) => message.text.startsWith(first.trim())),
      next: 0,
    }
    if (known.reply) heard.set(message.run, known)
    const end = message.at + message.text.length
    while (known.reply && known.next < known.reply.end.length && known.reply.end[known.next]! <= end) {
      ms.push(now - known.reply.at[known.next++]!)
    }
  }
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => socket.send(JSON.stringify({ type: 'join', thread, after: 0, brief: true })))
    socket.on('message', (data: Buffer) => {
      const now = performance.now()
      for (const said of readFrame(data.toString())) {
        const message = aliases.resolve(said)
        if (message?.type === 'joined') resolve(socket)
        if (message?.type === 'delta') note(message, now)
      }
    })
  })
}
