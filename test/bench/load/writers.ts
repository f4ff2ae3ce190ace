/** The process that sends requests: posts at a given rate, posts as fast as they are answered, and reads. */
import { setTimeout as sleep } from 'node:timers/promises'
import { percentiles, type Percentiles } from '../stats.ts'
import { nowUs } from './clock.ts'
import { openHttp, requestText, type HttpConnection } from './http.ts'
import { answerCalls } from './rpc.ts'
import { stampedText } from './stamps.ts'
import { wires, type WireName } from './wires.ts'

export interface WriteTarget {
  port: number
  thread: string
}

export interface WriteOrder {
  wire: WireName
  /** Posts go to them in turn. */
  targets: WriteTarget[]
  /** The value of the `authorization` header of each writer; empty where the system knows no writers. */
  writers: string[]
  /** Requests under way at the most, of each writer. */
  outstanding: number
  /** Posts a second that all writers offer together; null: each writes the next when one is answered. */
  rate: number | null
  seconds: number
  bytes: number
}

export interface WriteReport {
  /** Posts that fell due, that were sent, and that were acknowledged. */
  offered: number
  sent: number
  acknowledged: number
  /** Of `acknowledged`, in the order of the targets. */
  byTarget: number[]
  failed: number
  failures: string[]
  /** From sending to the answer, in ms. */
  answers: Percentiles
  /** Of the first post sent and the last one answered, in microseconds of `nowUs`. */
  firstUs: number
  lastUs: number
  cpuUs: number
}

export interface ReadOrder {
  port: number
  path: string
  headers: Record<string, string>
  connections: number
  seconds: number
}

export interface ReadReport {
  answered: number
  /** All that were seen. */
  statuses: number[]
  /** Of the last answer's body, as it came. */
  bytes: number
  ms: Percentiles
  /** That this process took. */
  cores: number
}

/** Ids of posts go on from one run to the next, so that what comes late is not taken for something new. */
let lastId = 0

export type WriterMethods = typeof methods
const methods = {
  async write(order: WriteOrder): Promise<WriteReport> {
    const { targets, outstanding, rate, seconds } = order
    const report = { offered: 0, sent: 0, acknowledged: 0, failed: 0, failures: [] as string[] }
    const byTarget = targets.map(() => 0)
    const answerMs: number[] = []
    const cpu = process.cpuUsage()
    const ports = [...new Set(targets.map(({ port }) => port))]
    const writers = order.writers.map((authorization) => ({
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      // Of connections that wait for something to do, a list for each server.
      idle: new Map(ports.map((port) => [port, Array.from({ length: outstanding }, () => openHttp(port))])),
      due: 0,
      busy: 0,
    }))
    type Writer = (typeof writers)[number]
    const all = writers.flatMap(({ idle }) => [...idle.values()].flat())
    let firstUs = 0
    let lastUs = 0
    let open = true
    let turn = 0

    function send(writer: Writer): void {
      const place = turn++ % targets.length
      const target = targets[place]!
      const connection = writer.idle.get(target.port)!.pop()!
      const startedAt = nowUs()
      firstUs ||= startedAt
      const text = stampedText(++lastId, startedAt, order.bytes)
      const { path, body } = wires[order.wire].post(target.thread, text)
      writer.due--
      writer.busy++
      report.sent++
      void connection
        .send(requestText('POST', path, writer.headers, body))
        .then(({ status }) => {
          if (status >= 300) throw new Error(`answered ${status}`)
          lastUs = nowUs()
          answerMs.push((lastUs - startedAt) / 1e3)
          report.acknowledged++
          byTarget[place]!++
        })
        .catch((error: Error) => {
          report.failed++
          if (report.failures.length < 3) report.failures.push(error.message)
        })
        .finally(() => {
          writer.busy--
          writer.idle.get(target.port)!.push(connection)
          if (rate === null) writer.due++
          if (open) sendDue(writer)
        })
    }

    function sendDue(writer: Writer): void {
      while (writer.due > 0 && writer.busy < outstanding) send(writer)
    }

    const began = performance.now()
    const elapsed = () => (performance.now() - began) / 1e3
    if (rate === null) for (const writer of writers) writer.due = outstanding
    while (elapsed() < seconds && report.failed < 1_000) {
      const due = rate === null ? 0 : Math.min(Math.ceil(elapsed() * rate), Math.floor(rate * seconds))
      while (report.offered < due) writers[report.offered++ % writers.length]!.due++
      for (const writer of writers) sendDue(writer)
      await sleep(2)
    }
    open = false
    const deadline = performance.now() + 10_000
    while (writers.some(({ busy }) => busy > 0) && performance.now() < deadline) await sleep(5)
    for (const connection of all) connection.close()
    const used = process.cpuUsage(cpu)
    return {
      ...report,
      byTarget,
      answers: percentiles(answerMs),
      firstUs,
      lastUs,
      cpuUs: used.user + used.system,
    }
  },

  /** Each connection asks again as soon as it is answered. */
  async read(order: ReadOrder): Promise<ReadReport> {
    const request = requestText('GET', order.path, order.headers)
    const end = performance.now() + order.seconds * 1e3
    const statuses = new Set<number>()
    const cpu = process.cpuUsage()
    const began = performance.now()
    const ms: number[] = []
    let bytes = 0
    async function ask(connection: HttpConnection): Promise<void> {
      while (performance.now() < end) {
        const startedAt = performance.now()
        const answer = await connection.send(request)
        ms.push(performance.now() - startedAt)
        statuses.add(answer.status)
        bytes = answer.bodyBytes
      }
      connection.close()
    }
    await Promise.all(Array.from({ length: order.connections }, () => ask(openHttp(order.port))))
    const { user, system } = process.cpuUsage(cpu)
    const cores = (user + system) / 1e3 / (performance.now() - began)
    return { answered: ms.length, statuses: [...statuses], bytes, ms: percentiles(ms), cores }
  },

  /** One request, to learn an answer's ETag. */
  async once({ port, path, headers }: Pick<ReadOrder, 'port' | 'path' | 'headers'>) {
    const connection = openHttp(port)
    try {
      return await connection.send(requestText('GET', path, headers))
    } finally {
      connection.close()
    }
  },
}

answerCalls(methods)
