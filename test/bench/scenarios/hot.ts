import path from 'node:path'
import { cpuUs, startNodeProgram } from '../processes.ts'
import { busyLoad, type Bench, type Measurement, type Scenario } from '../scenario.ts'
import { startNuminex, type System } from '../systems.ts'

/** Replies under way at any time; `HOT_OUTSTANDING` takes another number. */
const outstanding = Number(process.env['HOT_OUTSTANDING'] ?? 64)
const writers = 16
const textBytes = 200
const seconds = 8
const warmUpSeconds = 2

export const hot: Scenario = {
  name: 'hot',
  title: 'Writing into one hot thread',
  about: `${outstanding} replies of ${textBytes} bytes to one thread are under way at any time, for ${seconds} s, without viewers. \`numinex\` by HTTP; \`reply\` by the server's own function in a process without HTTP and live connections; \`plain\` a program that sends the same statement for each reply alone, which makes it a transaction each, over a pool of ten connections, and renders nothing.`,
  variants: ['numinex', 'reply', 'plain'],
  metrics: [
    { key: 'replies', label: 'replies/s', better: 'higher' },
    { key: 'p50', label: 'until acknowledged, p50, ms', better: 'lower' },
    { key: 'p99', label: 'until acknowledged, p99, ms', better: 'lower' },
    { key: 'cpu', label: 'process, µs of CPU a reply', better: 'lower' },
    { key: 'postgres', label: 'Postgres, µs of CPU a reply', better: 'lower' },
    { key: 'statements', label: 'SQL statements a reply', better: 'lower' },
    { key: 'cores', label: 'process, cores' },
    { key: 'writerCores', label: 'load: writers, cores' },
  ],
  charts: ['replies'],
  async run(bench, variant) {
    const name = variant === 'before' ? 'before' : 'numinex'
    const system = await startNuminex(bench, name)
    try {
      const thread = await system.newThread()
      return variant === 'numinex' || variant === 'before'
        ? await byHttp(bench, system, thread, bench.services.databases[name])
        : await byProgram(bench, system, thread, variant)
    } finally {
      await system.stop()
    }
  },
}

async function byHttp(bench: Bench, system: System, thread: string, database: string): Promise<Measurement> {
  const order = {
    wire: system.wire,
    targets: [{ port: system.ports[0]!, thread }],
    writers: await system.writers(writers),
    outstanding: Math.ceil(outstanding / writers),
    rate: null,
    bytes: textBytes,
  }
  await bench.writers.call('write', { ...order, seconds: bench.quick ? 1 : warmUpSeconds })
  const used = await startCounting(bench, system.pids, database)
  const written = await bench.writers.call('write', { ...order, seconds: bench.quick ? 2 : seconds })
  const elapsed = (written.lastUs - written.firstUs) / 1e6
  const writerCores = written.cpuUs / 1e6 / elapsed
  return {
    numbers: {
      replies: written.acknowledged / elapsed,
      p50: written.answers.p50,
      p99: written.answers.p99,
      ...(await used(written.acknowledged, elapsed)),
      writerCores,
    },
    notes: [...written.failures, ...busyLoad(writerCores)],
  }
}

interface ProgramReport {
  replies: number
  seconds: number
  p50: number
  p99: number
}

/** The server has only made the thread and the writers; another process writes. */
async function byProgram(
  bench: Bench,
  system: System,
  thread: string,
  variant: string,
): Promise<Measurement> {
  await system.writers(writers)
  await system.stop()
  const program = await startNodeProgram(path.join(import.meta.dirname, `../peers/${variant}.js`), {
    DATABASE_URL: bench.services.databases.numinex,
    ROOT: bench.root,
    THREAD: thread,
    OUTSTANDING: String(outstanding),
    BYTES: String(textBytes),
  })
  try {
    const write = async (seconds: number) =>
      (await (await fetch(`http://127.0.0.1:${program.port}/?seconds=${seconds}`)).json()) as ProgramReport
    await write(bench.quick ? 1 : warmUpSeconds)
    const used = await startCounting(bench, [program.pid], bench.services.databases.numinex)
    const written = await write(bench.quick ? 2 : seconds)
    return {
      numbers: {
        replies: written.replies / written.seconds,
        p50: written.p50,
        p99: written.p99,
        ...(await used(written.replies, written.seconds)),
      },
      notes: [],
    }
  } finally {
    await program.stop()
  }
}

/** What a reply costs from now on. */
async function startCounting({ services }: Bench, pids: readonly number[], database: string) {
  const read = async () => ({
    process: cpuUs(pids),
    postgres: cpuUs([services.postgres.pid]),
    statements: await services.statements(database),
  })
  const before = await read()
  return async (replies: number, seconds: number) => {
    const after = await read()
    return {
      cpu: (after.process - before.process) / replies,
      postgres: (after.postgres - before.postgres) / replies,
      statements: (after.statements - before.statements) / replies,
      cores: (after.process - before.process) / 1e6 / seconds,
    }
  }
}
