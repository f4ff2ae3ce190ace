import os from 'node:os'
import type { Measurement, Scenario } from '../scenario.ts'

/** What a run gave: `docs/performance/results.json`. */
export interface Results {
  machine: Machine
  quick: boolean
  scenarios: ScenarioResults[]
}

export interface ScenarioResults extends Omit<Scenario, 'run'> {
  /** When it began, and what else the machine did then: its load of a minute. */
  at: string
  load: number
  /** Of each variant, a measurement a round. */
  measured: Record<string, Measurement[]>
}

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
}

export function machine(): Machine {
  const cpus = os.cpus()
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
  }
}

/** What a variant gave for a metric, a number a round. */
export function valuesOf({ measured }: ScenarioResults, variant: string, key: string): number[] {
  return (measured[variant] ?? []).map(({ numbers }) => numbers[key] ?? NaN)
}
