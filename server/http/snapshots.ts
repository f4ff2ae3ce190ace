import type { ThreadSnapshot } from '../../shared/http.ts'
import type { Db } from '../store/database.ts'
import { getChanges } from '../threads/threads.ts'
import type { Answers, Body, Packed } from './answers.ts'
import type { Encoding, Packing } from './encoding.ts'

/** Threads as JSON, ready to send. */
export interface Snapshots {
  /**
   * What changed in a thread since `after`. `head` is where the thread stands now: all who ask for the same difference
   * at the same head get one answer from one read. Throws thread-not-found.
   */
  read(place: SnapshotPlace, encoding?: Encoding): Packed | Promise<Packed>
  /** The thread whole, at `head`. Throws thread-not-found. */
  whole(thread: string, head: number): Promise<ThreadSnapshot>
  /**
   * Something that is made of the thread at `head` and of nothing else but what `name` names, as UTF-8. `make` is called
   * where it is not known, once for all who ask meanwhile. Throws what `make` throws, and thread-not-found.
   */
  view<P extends Packing = Encoding>(view: View, encoding?: P): Packed<P> | Promise<Packed<P>>
}

export interface View {
  readonly name: string
  readonly thread: string
  readonly head: number
  readonly make: (snapshot: ThreadSnapshot) => Promise<string> | string
}

export interface SnapshotPlace {
  readonly thread: string
  readonly after: number
  readonly head: number
}

export function createSnapshots({ db, answers }: { db: Db; answers: Answers }): Snapshots {
  function read({ thread, after, head }: SnapshotPlace, encoding?: Encoding) {
    return answers.get(`json ${thread} ${after} ${head}`, encoding, () => load(thread, after))
  }

  async function load(thread: string, after: number): Promise<Body> {
    const readAt = performance.now()
    const changes = await getChanges({ db }, thread, after)
    return bodyOf(JSON.stringify(changes), changes, readAt)
  }

  async function whole(thread: string, head: number): Promise<ThreadSnapshot> {
    return parsed(await read({ thread, after: 0, head }))
  }

  return {
    read,
    whole,
    view: ({ name, thread, head, make }, encoding) =>
      answers.get(`${name} ${thread} ${head}`, encoding, async () => {
        const json = await read({ thread, after: 0, head })
        const snapshot = parsed(json)
        return bodyOf(await make(snapshot), snapshot, json.readAt)
      }),
  }
}

function parsed({ bytes }: Packed): ThreadSnapshot {
  return JSON.parse(bytes.toString()) as ThreadSnapshot
}

function bodyOf(text: string, { seq, posts }: ThreadSnapshot, readAt: number): Body {
  return { bytes: Buffer.from(text), seq, posts: posts.length, readAt }
}
