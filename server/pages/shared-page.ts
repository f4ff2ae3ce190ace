import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Ctx } from '../http/context.ts'
import { encodingFor } from '../http/encoding.ts'
import { answerLimits } from '../http/limits.ts'
import { sendPacked } from '../http/send.ts'
import type { SnapshotPlace, Snapshots } from '../http/snapshots.ts'
import { streamPage } from './stream-page.ts'

/** A page of a thread. */
export interface SharedPage {
  readonly place: SnapshotPlace
  /** Names all that the page depends on beside the thread at its head, and nothing of who reads it. */
  readonly name: string
  readonly headers: { readonly 'cache-control': string; readonly vary: string }
  /** Throws where the thread has no such page. */
  render(snapshot: ThreadSnapshot): AsyncIterable<string>
}

/** Answers with a page that says the same to all who ask: made once, unless it is so long that nobody should wait for it. */
export async function sharedPage(c: Ctx, snapshots: Snapshots, page: SharedPage): Promise<Response> {
  const { place, name, render, headers } = page
  const { bytes } = await snapshots.read(place)
  if (bytes.length > answerLimits.wholePageBytes)
    return streamPage(c, render(await snapshots.whole(place.thread, place.head)), headers)
  const make = (snapshot: ThreadSnapshot) => joined(render(snapshot))
  const packed = await snapshots.view({ ...place, name, make }, encodingFor(c))
  return sendPacked(c, packed, { 'content-type': 'text/html; charset=utf-8', ...headers })
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let page = ''
  for await (const piece of pieces) page += piece
  return page
}
