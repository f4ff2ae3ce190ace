// The module `numinex-embed`, for pages that are built with a bundler: the same elements as by script tags, and their types.
import { defineCounts } from '../loader/counts.ts'
import { defineThreads } from '../loader/threads.ts'

/**
 * Defines `<numinex-thread>` and `<numinex-count>`. `server` is the origin of the Numinex server, such as
 * `https://talk.example.org`. Where they are defined already, nothing happens. Throws a TypeError where `server` is no address.
 */
export function defineNuminex(server: string): void {
  const { origin } = new URL(server)
  defineThreads(origin)
  defineCounts(origin)
}

/** Attributes of `<numinex-thread>`. */
export interface NuminexThreadAttributes {
  /** A thread, by its id. Without it, the thread is that of the page. */
  thread?: string
  /** The page's address, where it is another than its canonical one. */
  url?: string
  /** Shows one branch: that of the post with this number. */
  post?: number | string
  theme?: 'auto' | 'light' | 'dark'
  /** Language of the page, as a tag such as "en-GB". */
  locale?: string
  sort?: 'oldest' | 'newest'
  collapsed?: boolean | ''
  'read-only'?: boolean | ''
  /** The token by which the page's server vouches for its reader. The property `userToken` does the same. */
  'user-token'?: string
}

/** What the events of `<numinex-thread>` tell, by their names. They do not bubble. */
export interface NuminexThreadEvents {
  /** The widget can be used. `posts` are its comments. */
  ready: CustomEvent<{ posts: number }>
  /** There are more comments now, or fewer. */
  count: CustomEvent<{ posts: number }>
  /** The reader has posted. */
  post: CustomEvent<{ thread: string; number: number }>
  /** Something is wrong that the page's developer should know of. `code` is a problem code, or "unavailable". */
  error: CustomEvent<{ code: string; message: string }>
  /** The reader wants to sign in with the page ("wanted"), or the page should give a fresh token. */
  signin: CustomEvent<{ reason: 'wanted' | 'expired' | 'refused' }>
}

export interface NuminexThreadElement extends HTMLElement {
  /** The token by which the page's server vouches for its reader; null when there is none. It can only be set. */
  userToken: string | null
  addEventListener<E extends keyof NuminexThreadEvents>(
    type: E,
    listener: (event: NuminexThreadEvents[E]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void
}

/** Attributes of `<numinex-count>`: the page or the thread whose comments it counts. */
export interface NuminexCountAttributes {
  url?: string
  thread?: string
}

declare global {
  interface HTMLElementTagNameMap {
    'numinex-thread': NuminexThreadElement
    'numinex-count': HTMLElement
  }
}
