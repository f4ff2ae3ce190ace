import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Ctx } from '../http/context.ts'
import { chooseEncoding, encodingFor } from '../http/encoding.ts'
import { joinedGzip } from '../http/joined-gzip.ts'
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
  /** The page piece by piece. Throws where the thread has no such page. */
  render(snapshot: ThreadSnapshot): AsyncIterable<string>
  /** Makes the first piece this reader's; no other one says anything of a reader. */
  readonly fillIn?: (first: string) => string
  /** It is filled in for this reader alone, and for nobody else. */
  readonly own?: boolean
}

/**
 * Answers with a page that is made once for all who ask, unless it is so long that nobody should wait for it. Of a reader's
 * own page, all but the first piece is.
 */
export async function sharedPage(c: Ctx, snapshots: Snapshots, page: SharedPage): Promise<Response> {
  const { place, render } = page
  const { bytes } = await snapshots.read(place)
  if (bytes.length > answerLimits.wholePageBytes) {
    const pieces = filledIn(render(await snapshots.whole(place.thread, place.head)), page)
    return streamPage(c, pieces, page.headers)
  }
  return page.own === true ? await ownPage(c, snapshots, page) : await commonPage(c, snapshots, page)
}

async function commonPage(c: Ctx, snapshots: Snapshots, page: SharedPage): Promise<Response> {
  const make = (snapshot: ThreadSnapshot) => joined(filledIn(page.render(snapshot), page))
  const packed = await snapshots.view({ ...page.place, name: page.name, make }, encodingFor(c))
  return sendPacked(c, packed, headersOf(page))
}

/** To pack a long page takes longer than all else, so what is the same for others is joined to what is not as it is packed. */
async function ownPage(c: Ctx, snapshots: Snapshots, page: SharedPage): Promise<Response> {
  const { place, name, render, fillIn = (first) => first } = page
  const opening = { ...place, name: `${name} opening`, make: (it: ThreadSnapshot) => firstOf(render(it)) }
  const rest = { ...place, name: `${name} rest`, make: (it: ThreadSnapshot) => joined(othersOf(render(it))) }
  const [opened, plain] = await Promise.all([snapshots.view(opening), snapshots.view(rest)])
  const first = Buffer.from(fillIn(opened.bytes.toString()))
  const zips = chooseEncoding(c.req.header('accept-encoding'), ['gzip']) !== undefined
  const packed = zips ? await snapshots.view<'deflate-raw'>(rest, 'deflate-raw') : undefined
  const body =
    packed?.encoding === 'deflate-raw'
      ? { bytes: joinedGzip(first, { plain: plain.bytes, packed: packed.bytes }), encoding: 'gzip' as const }
      : { bytes: Buffer.concat([first, plain.bytes]), encoding: undefined }
  return sendPacked(c, { ...plain, ...body }, headersOf(page))
}

function headersOf({ headers }: SharedPage) {
  return { 'content-type': 'text/html; charset=utf-8', ...headers }
}

async function* filledIn(pieces: AsyncIterable<string>, { fillIn }: SharedPage): AsyncGenerator<string> {
  let first = true
  for await (const piece of pieces) {
    yield first && fillIn ? fillIn(piece) : piece
    first = false
  }
}

async function firstOf(pieces: AsyncIterable<string>): Promise<string> {
  for await (const piece of pieces) return piece
  return ''
}

async function* othersOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let first = true
  for await (const piece of pieces) {
    if (!first) yield piece
    first = false
  }
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let page = ''
  for await (const piece of pieces) page += piece
  return page
}
