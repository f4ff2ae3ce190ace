import type { Bus } from '../../server/bus/bus.ts'
import type { Random } from './random.ts'

/** A bus between nodes that loses, repeats, delays and reorders, until it is healed. */
export interface ChaosBus {
  /** One node's end of it. */
  endpoint(): Bus
  /** From now on every message comes once and at once, and every node is told that some may have been missed. */
  heal(): void
}

export function createChaosBus(random: Random): ChaosBus {
  const subscribers = new Set<{ topic: string; handler: (message: string) => void }>()
  const recovered: (() => void)[] = []
  let sane = false

  function send(handler: (message: string) => void, message: string): void {
    if (sane) return queueMicrotask(() => handler(message))
    if (random.chance(0.15)) return
    const copies = random.chance(0.15) ? 2 : 1
    for (let i = 0; i < copies; i++) setTimeout(handler, random.chance(0.5) ? 0 : random.int(90), message)
  }

  return {
    endpoint: () => ({
      publish(topic, message) {
        for (const subscriber of subscribers)
          if (subscriber.topic === topic) send(subscriber.handler, message)
        return Promise.resolve()
      },
      subscribe(topic, handler) {
        const subscriber = { topic, handler }
        subscribers.add(subscriber)
        return Promise.resolve(() => Promise.resolve(void subscribers.delete(subscriber)))
      },
      onRecovered: (handler) => void recovered.push(handler),
      up: true,
      close: () => Promise.resolve(),
    }),
    heal() {
      sane = true
      for (const handler of recovered) handler()
    },
  }
}
