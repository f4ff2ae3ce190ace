import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What is counted of AI replies. */
export interface AiMetrics {
  /** Replies that this node writes now. */
  readonly writing: Gauge
  /** Replies that ended here, by state. */
  readonly ended: Counter<'state'>
  /** Abandoned replies that this node took up. */
  readonly takenUp: Counter
  readonly tokens: Counter<'kind'>
  /** From the beginning of a reply to its first text. */
  readonly firstText: Histogram
}

export function createAiMetrics(registry: Registry): AiMetrics {
  const registers = [registry]
  return {
    writing: new Gauge({
      name: 'numinex_ai_writing',
      help: 'AI replies that this node writes now',
      registers,
    }),
    ended: new Counter({
      name: 'numinex_ai_replies_total',
      help: 'AI replies that ended on this node, by state',
      labelNames: ['state'],
      registers,
    }),
    takenUp: new Counter({
      name: 'numinex_ai_taken_up_total',
      help: 'Abandoned AI replies that this node took up',
      registers,
    }),
    tokens: new Counter({
      name: 'numinex_ai_tokens_total',
      help: 'Tokens of AI replies, read (input) and written (output), estimated where a model does not tell',
      labelNames: ['kind'],
      registers,
    }),
    firstText: new Histogram({
      name: 'numinex_ai_first_text_seconds',
      help: 'From the beginning of an AI reply to its first text',
      buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 120],
      registers,
    }),
  }
}
