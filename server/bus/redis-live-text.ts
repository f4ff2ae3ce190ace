import type { LiveText } from './live-text.ts'
import { busLimits } from './limits.ts'
import type { RedisData } from './redis-data.ts'

/** For all nodes. Pieces are appended, so that a long reply costs no more than its length. */
export function createRedisLiveText(redis: RedisData): LiveText {
  /** Bytes that Redis has of a run, as far as this node knows. */
  const bytes = new Map<string, number>()
  const keyOf = (run: string) => `numinex:text:${run}`

  async function put(run: string, text: string): Promise<void> {
    bytes.set(run, Buffer.byteLength(text))
    await redis.client?.set(keyOf(run), text, 'EX', busLimits.liveTextSeconds)
  }

  return {
    async write(run, text, known) {
      try {
        const before = bytes.get(run)
        if (before === undefined) return await put(run, text)
        const piece = text.slice(known)
        const expected = before + Buffer.byteLength(piece)
        bytes.set(run, expected)
        const now = await redis.client?.append(keyOf(run), piece)
        // Redis was emptied, or an earlier piece was lost.
        if (now !== expected) await put(run, text)
      } catch {
        bytes.delete(run)
      }
    },
    async read(run) {
      return (await redis.client?.get(keyOf(run)).catch(() => null)) ?? ''
    },
    async forget(run) {
      bytes.delete(run)
      await redis.client?.del(keyOf(run)).catch(() => undefined)
    },
  }
}
