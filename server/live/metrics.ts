import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What the live side counts. */
export interface LiveMetrics {
  readonly sockets: Gauge
  readonly rooms: Gauge
  readonly lag: Histogram
  readonly repairs: Counter
  readonly shed: Counter
  readonly closed: Counter<'reason'>
  readonly refused: Counter<'reason'>
  /** `messages` went out to `viewers` as one frame. */
  delivered(messages: number, viewers: number): void
}

export function createLiveMetrics(registry: Registry): LiveMetrics {
  const registers = [registry]
  const deliveries = new Counter({
    name: 'numinex_deliveries_total',
    help: 'Messages delivered to sockets',
    registers,
  })
  const frames = new Counter({
    name: 'numinex_frames_total',
    help: 'Frames written to sockets; deliveries divided by frames is how well bursts are coalesced',
    registers,
  })
  return {
    sockets: new Gauge({ name: 'numinex_sockets', help: 'Open WebSockets', registers }),
    rooms: new Gauge({
      name: 'numinex_rooms',
      help: 'Threads with viewers on this node, or recently',
      registers,
    }),
    lag: new Histogram({
      name: 'numinex_commit_to_socket_seconds',
      help: 'From the commit of a change to its frame being written to the sockets',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    repairs: new Counter({
      name: 'numinex_gap_repairs_total',
      help: 'Times a room filled a hole from the database',
      registers,
    }),
    shed: new Counter({
      name: 'numinex_shed_total',
      help: 'Presence frames left out because a socket was slow',
      registers,
    }),
    closed: new Counter({
      name: 'numinex_closed_total',
      help: 'Sockets that the server closed, by reason',
      labelNames: ['reason'],
      registers,
    }),
    refused: new Counter({
      name: 'numinex_refused_total',
      help: 'Upgrades refused, by reason',
      labelNames: ['reason'],
      registers,
    }),
    delivered(messages, viewers) {
      deliveries.inc(messages * viewers)
      frames.inc(viewers)
    },
  }
}
