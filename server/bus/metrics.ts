import { Counter, Gauge, type Registry } from 'prom-client'

/** What the bus counts. */
export interface BusMetrics {
  published(): void
  received(): void
  /** A message could not be handed to the transport. */
  lost(): void
  up(up: boolean): void
}

export function createBusMetrics(registry: Registry): BusMetrics {
  const registers = [registry]
  const published = new Counter({
    name: 'numinex_bus_published_total',
    help: 'Messages given to the bus',
    registers,
  })
  const received = new Counter({
    name: 'numinex_bus_received_total',
    help: 'Messages from the bus',
    registers,
  })
  const lost = new Counter({
    name: 'numinex_bus_lost_total',
    help: 'Messages the transport could not take; rooms fill the gap from the database',
    registers,
  })
  const up = new Gauge({ name: 'numinex_bus_up', help: '1 while messages flow between the nodes', registers })
  return {
    published: () => published.inc(),
    received: () => received.inc(),
    lost: () => lost.inc(),
    up: (isUp) => up.set(isUp ? 1 : 0),
  }
}
