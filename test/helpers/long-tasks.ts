import type { Browser, Page } from 'playwright-core'

/**
 * The longest tasks of a page's thread while `work` goes on, longest first: in milliseconds that the thread ran, and by the
 * clock, in which other programs have their part.
 */
export async function longestTasks(
  browser: Browser,
  page: Page,
  work: () => Promise<void>,
): Promise<{ thread: number[]; clock: number[] }> {
  await browser.startTracing(page, { categories: ['toplevel', '-*'] })
  await work().catch(async (error: unknown) => {
    await browser.stopTracing()
    throw error
  })
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  const threads = trace.traceEvents.filter(({ args }) => args?.name === 'CrRendererMain').map(threadOf)
  const tasks = trace.traceEvents.filter(
    (event) => event.tdur !== undefined && threads.includes(threadOf(event)),
  )
  const longest = (time: (task: TraceEvent) => number) =>
    tasks
      .map((task) => time(task) / 1_000)
      .toSorted((x, y) => y - x)
      .slice(0, 5)
  return { thread: longest((task) => task.tdur ?? 0), clock: longest((task) => task.dur ?? 0) }
}

/** Times are in microseconds. */
interface TraceEvent {
  pid: number
  tid: number
  dur?: number
  /** The part of `dur` in which the thread ran. */
  tdur?: number
  args?: { name?: string }
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`
}
