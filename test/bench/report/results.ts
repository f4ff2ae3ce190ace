import fs from 'node:fs'
import os from 'node:os'
import type { Measurement, Scenario } from '../scenario.ts'

/** What a run gave: `docs/performance/results.json`. */
export interface Results {
  machine: Machine
  rounds: number
  quick: boolean
  scenarios: ScenarioResults[]
}

export interface ScenarioResults extends Omit<Scenario, 'run'> {
  /** Of each variant, a measurement a round. */
  measured: Record<string, Measurement[]>
}

export interface Machine {
  at: string
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  /** Of a minute, when the run began: what else the machine did. */
  load: number
}

export function machine(): Machine {
  const cpus = os.cpus()
  return {
    at: new Date().toISOString(),
    cpu: cpus[0]?.model.trim() ?? modelName(),
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    node: process.version,
    load: os.loadavg()[0]!,
  }
}

function modelName(): string {
  return /^model name\s*: (.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown'
}

/** What a variant gave for a metric, a number a round. */
export function valuesOf({ measured }: ScenarioResults, variant: string, key: string): number[] {
  return (measured[variant] ?? []).map(({ numbers }) => numbers[key] ?? NaN)
}
