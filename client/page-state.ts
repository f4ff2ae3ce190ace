import type { Author, Embed, Post, PostState, Reaction } from '../shared/post.ts'
import { fromSnapshot, type ThreadState, type TreeView } from '../shared/thread-state.ts'
import type { Thread } from '../shared/thread.ts'

/** Who looks at the page. */
export interface Viewer {
  readonly id: string
  readonly name: string
  readonly kind: Author['kind']
  readonly role: 'guest' | 'member' | 'moderator' | 'admin'
}

/** What a page gives its script as JSON: what the script needs and the HTML does not say. */
export type PageState =
  | { page: 'thread'; viewer: Viewer | null; focus: number | null; thread: ThreadPageState }
  | { page: 'embed'; viewer: null; embed: EmbedState; thread: ThreadPageState }
  | { page: 'front'; viewer: Viewer | null; threads: ListedThread[] }
  | { page: 'admin'; viewer: Viewer | null }
  | { page: 'other'; viewer: Viewer | null }

/** As it stands in the page: who looks stands apart. */
export type ShownState<S extends PageState = PageState> = S extends unknown ? Omit<S, 'viewer'> : never

export interface ThreadPageState {
  thread: Thread
  seq: number
  authors: Author[]
  posts: PackedPost[]
}

/** What a widget's frame knows of the page around it. It is the same for every reader. */
export interface EmbedState {
  /** Origin of the host page, as the address of the frame names it; the browser vouches that it is one of the site's. */
  host: string
  /** The site that the page belongs to, whose server may vouch for its readers. */
  site: string | null
  /** Whether the site has keys, so that it can. */
  vouches: boolean
  /** The page whose thread it is, where the thread was not named by its id. */
  url: string | null
  title: string | null
  /** Whether the thread is there: a page's thread is made with its first comment. */
  there: boolean
  shown: TreeView
  readOnly: boolean
  /** What the site's admins chose; null for what suits the page. */
  theme: 'light' | 'dark' | null
  /** Addresses of the styles of what opens when the reader does something. */
  tools: readonly string[]
}

export interface ListedThread {
  id: string
  seq: number
  posts: number
  lastActivityAt: string
}

/** `author` is an index in `authors`; times are milliseconds since 1970. */
export type PackedPost = [
  number: number,
  parent: number | null,
  author: number,
  state: PostState,
  createdAt: number,
  editedAt: number | null,
  seq: number,
  more?: PackedMore,
]

/** What few posts have. `asker` is an index in `authors` too. */
interface PackedMore {
  quote?: number
  reactions?: Reaction[]
  embeds?: Embed[]
  run?: string
  asker?: number
  request?: string
  reason?: string
}

/** Packs posts one by one; `authors` fills as it goes. */
export function createPacker(): { authors: Author[]; pack(post: Post): PackedPost } {
  const authors: Author[] = []
  const known = new Map<string, number>()

  function indexOf(author: Author): number {
    const key = `${author.id} ${author.name}`
    let index = known.get(key)
    if (index === undefined) {
      index = authors.push(author) - 1
      known.set(key, index)
    }
    return index
  }

  return {
    authors,
    pack(post) {
      const { number, parent, state, seq, quote, reactions, embeds, run, asker, request, reason } = post
      const more: PackedMore = {
        ...(quote === null ? {} : { quote: quote.number }),
        ...(reactions.length === 0 ? {} : { reactions }),
        ...(embeds === undefined || embeds.length === 0 ? {} : { embeds }),
        ...(run === undefined ? {} : { run }),
        ...(asker === undefined ? {} : { asker: indexOf(asker) }),
        ...(request === undefined ? {} : { request }),
        ...(reason === undefined ? {} : { reason }),
      }
      const editedAt = post.editedAt === null ? null : Date.parse(post.editedAt)
      const packed: PackedPost = [
        number,
        parent,
        indexOf(post.author),
        state,
        Date.parse(post.createdAt),
        editedAt,
        seq,
      ]
      if (Object.keys(more).length > 0) packed.push(more)
      return packed
    },
  }
}

/** What a page says of a post's text, asked for only when it is needed: reading ten thousand posts at once would take long. */
export interface PageText {
  html(number: number): string
  /** The quoted passage; null when it is gone. */
  quote(number: number): string | null
}

/** The state of the thread that the server rendered. */
export function unpack({ thread, seq, authors, posts }: ThreadPageState, text: PageText): ThreadState {
  return fromSnapshot({ thread, seq, posts: posts.map((packed) => unpackPost(packed, authors, text)) })
}

function unpackPost(packed: PackedPost, authors: readonly Author[], text: PageText): Post {
  const [number, parent, author, state, createdAt, editedAt, seq, more] = packed
  const quoted = more?.quote
  return {
    number,
    parent,
    author: authors[author]!,
    state,
    createdAt: new Date(createdAt).toISOString(),
    editedAt: editedAt === null ? null : new Date(editedAt).toISOString(),
    seq,
    reactions: more?.reactions ?? [],
    ...(more?.embeds === undefined ? {} : { embeds: more.embeds }),
    ...(more?.run === undefined ? {} : { run: more.run }),
    ...(more?.asker === undefined ? {} : { asker: authors[more.asker]! }),
    ...(more?.request === undefined ? {} : { request: more.request }),
    ...(more?.reason === undefined ? {} : { reason: more.reason }),
    get html() {
      // Where a reply is being written, the page shows what came by the live connection.
      return state === 'streaming' ? '' : text.html(number)
    },
    get quote() {
      return quoted === undefined ? null : { number: quoted, text: text.quote(number) }
    },
  }
}
