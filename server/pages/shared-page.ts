import { LRUCache } from 'lru-cache'
import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Body, Packed } from '../http/answers.ts'
import type { Ctx } from '../http/context.ts'
import { chooseEncoding, encodingFor, type Packing } from '../http/encoding.ts'
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
 * Answers with pages that are made once for all who ask. Of a reader's own page, all but the first piece is. A page that is
 * so long that nobody should wait for it is shown piece by piece as it is made, to everyone for themselves, until it has been
 * made as a whole, which begins when a second reader asks.
 */
export type SharedPages = (c: Ctx, page: SharedPage) => Promise<Response>

export function createSharedPages(snapshots: Snapshots): SharedPages {
  /** Long pages that somebody has read. */
  const readOnce = new LRUCache<string, true>({ max: answerLimits.longPagesRead })

  return async (c, page) => {
    const { place, name, render, headers } = page
    const { bytes } = await snapshots.read(place)
    const made = page.own === true ? ownPage(c, page) : commonPage(c, page)
    if (bytes.length > answerLimits.wholePageBytes) {
      const key = `${name} ${place.thread} ${place.head}`
      const again = readOnce.has(key)
      readOnce.set(key, true)
      if (!again || bytes.length > answerLimits.keptPageBytes || !made.ready()) {
        const pieces = filledIn(render(await snapshots.whole(place.thread, place.head)), page)
        return streamPage(c, pieces, headers)
      }
    }
    return sendPacked(c, await made.whole(), { 'content-type': 'text/html; charset=utf-8', ...headers })
  }

  function commonPage(c: Ctx, page: SharedPage): Made {
    const make = (snapshot: ThreadSnapshot) => joined(filledIn(page.render(snapshot), page))
    const view = () => snapshots.view({ ...page.place, name: page.name, make }, encodingFor(c))
    return { ready: () => isReady(view()), whole: async () => await view() }
  }

  /** To pack a long page takes longer than all else, so what is the same for others is joined to what is not as it is packed. */
  function ownPage(c: Ctx, { place, name, render, fillIn = (first) => first }: SharedPage): Made {
    const opening = { ...place, name: `${name} opening`, make: (it: ThreadSnapshot) => firstOf(render(it)) }
    const rest = {
      ...place,
      name: `${name} rest`,
      make: (it: ThreadSnapshot) => joined(othersOf(render(it))),
    }
    const zips = chooseEncoding(c.req.header('accept-encoding'), ['gzip']) !== undefined
    const opened = () => snapshots.view<Packing>(opening)
    const plain = () => snapshots.view<Packing>(rest)
    const packed = () => snapshots.view<Packing>(rest, zips ? 'deflate-raw' : undefined)

    async function whole(): Promise<Packed> {
      const parts = await Promise.all([opened(), plain(), packed()])
      return joinedParts(...parts)
    }

    function joinedParts(opened: Body, plain: Body, packed: Packed<Packing>): Packed {
      const first = Buffer.from(fillIn(opened.bytes.toString()))
      if (packed.encoding !== 'deflate-raw')
        return { ...plain, bytes: Buffer.concat([first, plain.bytes]), encoding: undefined }
      const bytes = joinedGzip(first, { plain: plain.bytes, packed: packed.bytes })
      return { ...plain, bytes, encoding: 'gzip' }
    }

    // All of them begin, whatever there is already.
    return { ready: () => [opened(), plain(), packed()].map(isReady).every(Boolean), whole }
  }
}

/** A page that is made, or in the making as soon as somebody asks for it. */
interface Made {
  /** Whether it is there already. If not, it is made from now on. */
  ready(): boolean
  whole(): Promise<Packed>
}

function isReady(view: Packed<Packing> | Promise<Packed<Packing>>): boolean {
  if (!(view instanceof Promise)) return true
  // Nobody waits for it; who comes next is told what is wrong.
  view.catch(() => undefined)
  return false
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
