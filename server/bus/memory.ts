import type { Bus } from './bus.ts'
import { createHandlers } from './handlers.ts'

/** A bus for one process. `onError` gets what a handler throws. */
export function createMemoryBus(
  onError: (error: unknown) => void = (error) => process.emitWarning(error as Error),
): Bus {
  const handlers = createHandlers(onError)
  let open = true
  return {
    async publish(topic, message) {
      // As over a network, handlers run after the publisher's own step: it need not be ready for what they do.
      await Promise.resolve()
      handlers.dispatch(topic, message)
    },
    async subscribe(topic, handler) {
      if (!open) throw new Error('The bus is closed')
      const { remove } = handlers.add(topic, handler)
      return async () => void remove()
    },
    onRecovered: () => undefined,
    get up() {
      return open
    },
    async close() {
      open = false
      handlers.clear()
    },
  }
}
