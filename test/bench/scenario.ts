import type { CrowdMethods } from './load/crowd.ts'
import type { Worker } from './load/rpc.ts'
import type { WriterMethods } from './load/writers.ts'
import type { Places } from './systems.ts'

/** What a scenario works with. */
export interface Bench extends Places {
  readonly crowd: Worker<CrowdMethods>
  readonly writers: Worker<WriterMethods>
  /** Shorter rounds, to see that all works. Their numbers are for nobody. */
  readonly quick: boolean
  /** What a scenario made in an earlier round and uses again, by names of its own. */
  readonly kept: Map<string, unknown>
}

/** Numbers by the keys of the scenario's metrics, and what went wrong. */
export interface Measurement {
  numbers: Record<string, number>
  notes: string[]
}

export interface Metric {
  key: string
  /** With its unit. */
  label: string
  /** None where a number only helps to read the others. */
  better?: 'higher' | 'lower'
}

export interface Scenario {
  name: string
  title: string
  /** What is done, in a sentence or two. */
  about: string
  /** What is measured beside each other; the first is compared with each of the others. */
  variants: readonly string[]
  metrics: readonly Metric[]
  /** The keys of those that are also drawn. */
  charts: readonly string[]
  /** One round of one variant. */
  run(bench: Bench, variant: string): Promise<Measurement>
}

/** Above this, a process of the load may be what is measured. */
const busyCores = 0.9

/** A note where one of the load's processes, of which the cores that each took are given, may have been the bottleneck. */
export function busyLoad(...cores: number[]): string[] {
  const most = Math.max(...cores)
  return most > busyCores
    ? [`a process of the load took ${most.toFixed(2)} cores and may have been the bottleneck`]
    : []
}
