import type { LiveText } from '../bus/live-text.ts'
import type { Db } from '../store/database.ts'
import { streamingRuns } from '../store/runs.ts'
import type { StreamText } from './streams.ts'

/** The replies of a thread that are being written. Redis is ahead of the database by up to a second, or has nothing. */
export async function readStreams(
  { db, liveText }: { db: Db; liveText: LiveText },
  thread: string,
): Promise<StreamText[]> {
  const runs = await streamingRuns(db, thread)
  const texts = await Promise.all(runs.map(({ id }) => liveText.read(id)))
  return runs.map(({ id, number, epoch, text }, i) => {
    const live = texts[i] ?? ''
    return { post: number, run: id, epoch, text: live.length > text.length ? live : text }
  })
}
