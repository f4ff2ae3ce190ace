import { LRUCache } from 'lru-cache'
import { compressed, type Encoding, type Packing } from './encoding.ts'
import { answerLimits } from './limits.ts'

/** The body of an answer about a thread, and what its readers need to know of it. */
export interface Body {
  /** UTF-8. Nobody changes them. */
  readonly bytes: Buffer
  /** When the database was asked for it, by `performance.now()`. */
  readonly readAt: number
  /** The version of the thread that it shows. */
  readonly seq: number
  /** How many posts it holds. */
  readonly posts: number
}

/** A body as it is sent. */
export interface Packed<P extends Packing = Encoding> extends Body {
  readonly encoding: P | undefined
}

/** Bodies that are the same for every reader: made once, packed once, and kept. */
export interface Answers {
  /**
   * The body under `key`, packed. `make` is called where it is not known, once for all who ask meanwhile; what it throws,
   * they all get, and nothing is kept. The key names all that the body depends on.
   */
  get<P extends Packing = Encoding>(
    key: string,
    encoding: P | undefined,
    make: () => Promise<Body>,
  ): Packed<P> | Promise<Packed<P>>
  /** Bytes that are kept now. */
  readonly size: number
}

/**
 * Keeps at most `maxBytes`. In another `era`, the same version of a thread may say something else, so nothing of the one
 * before is used.
 */
export function createAnswers(parts: { era(): number; maxBytes?: number }): Answers {
  const { era, maxBytes = answerLimits.keptBytes } = parts
  const kept = new LRUCache<string, Packed<Packing>>({
    maxSize: maxBytes,
    ttl: answerLimits.keptMs,
    // To the second is enough, and saves looking at the clock.
    ttlResolution: 1_000,
    // The key, and about what the entry itself takes.
    sizeCalculation: ({ bytes }, key) => bytes.length + 2 * key.length + 200,
  })
  const flights = new Map<string, Promise<Packed<Packing>>>()

  function get<P extends Packing = Encoding>(
    key: string,
    encoding: P | undefined,
    make: () => Promise<Body>,
  ): Packed<P> | Promise<Packed<P>> {
    const name = nameOf(key, encoding)
    const known = kept.get(name)
    // What has this name is packed so.
    if (known !== undefined) return known as Packed<P>
    const flight =
      flights.get(name) ??
      (encoding === undefined ? plain(name, make) : pack(name, key, encoding, make)).finally(() =>
        flights.delete(name),
      )
    flights.set(name, flight)
    return flight as Promise<Packed<P>>
  }

  async function plain(name: string, make: () => Promise<Body>): Promise<Packed<Packing>> {
    const body = { ...(await make()), encoding: undefined }
    kept.set(name, body, { start: body.readAt })
    return body
  }

  async function pack(name: string, key: string, encoding: Packing, make: () => Promise<Body>) {
    const body = await get(key, undefined, make)
    const worth = body.bytes.length >= answerLimits.compressFrom
    const packed = worth ? { ...body, bytes: await compressed(body.bytes, encoding), encoding } : body
    kept.set(name, packed, { start: body.readAt })
    return packed
  }

  function nameOf(key: string, encoding: Packing | undefined): string {
    return `${era()} ${encoding ?? 'plain'} ${key}`
  }

  return {
    get,
    get size() {
      return kept.calculatedSize
    },
  }
}
