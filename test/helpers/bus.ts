import type { Bus } from '../../server/bus/bus.ts'
import { createRedisBus } from '../../server/bus/redis.ts'

/** A log that keeps its lines, to be shown when a test fails. */
export function memoryLog() {
  const lines: string[] = []
  const write = (level: string) => (fields: object, text?: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(fields)}`)
  return { lines, info: write('info'), warn: write('warn'), error: write('error') }
}

export interface WatchedBus extends Bus {
  readonly lines: string[]
  readonly lost: number
  /** How often it told that it had recovered. */
  readonly recoveries: number
}

/** A bus of one node, with what it logs and counts. */
export function redisNode(url: string): WatchedBus {
  const log = memoryLog()
  let lost = 0
  let recoveries = 0
  const none = () => undefined
  const metrics = { published: none, received: none, lost: () => void lost++, up: none }
  const bus = createRedisBus({ url, log: log as never, metrics })
  bus.onRecovered(() => void recoveries++)
  return {
    publish: (topic, message) => bus.publish(topic, message),
    subscribe: (topic, handler) => bus.subscribe(topic, handler),
    onRecovered: (handler) => bus.onRecovered(handler),
    close: () => bus.close(),
    get up() {
      return bus.up
    },
    lines: log.lines,
    get lost() {
      return lost
    },
    get recoveries() {
      return recoveries
    },
  }
}

/** Subscribes, and keeps what comes. */
export async function listen(bus: Bus, topic: string) {
  const messages: string[] = []
  const unsubscribe = await bus.subscribe(topic, (message) => void messages.push(message))
  return { messages, unsubscribe }
}
