import { Problem, problems, type ProblemCode } from '../shared/errors.ts'
import type { ProblemDocument } from '../shared/problem-document.ts'
import type {
  Ask,
  ChangeThread,
  CreatePost,
  CreateThread,
  EditPost,
  PostAnswer,
  ReplyAnswer,
  ThreadSnapshot,
} from '../shared/http.ts'
import type { PersonaList } from '../shared/persona.ts'
import type { Embed, Post } from '../shared/post.ts'
import type { RunReport } from '../shared/run.ts'
import type { OpenPage } from '../shared/site.ts'
import type { Thread } from '../shared/thread.ts'
import type { Viewer } from './page-state.ts'

export interface ApiParts {
  fetch?: typeof globalThis.fetch
  /** Where the server is, without a slash at the end; empty for the page's own. */
  base?: string
  /** A bearer token in the place of cookies, which are not sent then. */
  token?: () => string | undefined
}

/** Who has just signed in. `token` is a bearer token for connections that carry no cookies. */
export interface SignedIn {
  id: string
  name: string
  token: string | null
}

export type Api = ReturnType<typeof createApi>

/** The server's HTTP interface. Every call throws a `Problem`; one that never reached the server has the code `unavailable`. */
export function createApi({
  fetch = (...args) => globalThis.fetch(...args),
  base = '',
  token,
}: ApiParts = {}) {
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' }
    const bearer = token?.()
    if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const sent = await fetch(base + path, {
      method,
      headers,
      credentials: token === undefined ? 'same-origin' : 'omit',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Problem('unavailable', { detail: 'The server could not be reached', cause })
    })
    if (!sent.ok) throw await readProblem(sent)
    return sent
  }

  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await send(method, path, body)
    const text = await answer.text().catch((cause: unknown) => {
      throw new Problem('unavailable', { detail: 'The answer was cut off', cause })
    })
    return (text === '' ? {} : JSON.parse(text)) as T
  }

  async function signIn(way: string, body: object): Promise<SignedIn> {
    const answer = await send('POST', `/api/auth/${way}`, body)
    const { user } = (await answer.json()) as { user: { id: string; name: string } }
    return { id: user.id, name: user.name, token: answer.headers.get('set-auth-token') }
  }

  const posts = (thread: string) => `/api/threads/${thread}/posts`

  return {
    snapshot: (thread: string) => request<ThreadSnapshot>('GET', `/api/threads/${thread}`),
    changes: (thread: string, after: number) =>
      request<ThreadSnapshot>('GET', `${posts(thread)}?after=${after}`),
    /** The post with `body`, its Markdown source. */
    post: (thread: string, number: number) =>
      request<{ post: Post & { body: string } }>('GET', `${posts(thread)}/${number}`).then(
        ({ post }) => post,
      ),
    createThread: (input: CreateThread) => request<ThreadSnapshot>('POST', '/api/threads', input),
    /** Makes the thread of a page, or finds it. */
    openPage: (input: OpenPage) => request<ThreadSnapshot>('POST', '/api/embed/threads', input),
    changeThread: (thread: string, input: ChangeThread) =>
      request<{ thread?: Thread }>('PATCH', `/api/threads/${thread}`, input),
    /** The post, and what became of the AI participants that it names. */
    createPost: (thread: string, input: CreatePost) => request<ReplyAnswer>('POST', posts(thread), input),
    editPost: (thread: string, number: number, input: EditPost) =>
      request<{ post?: Post }>('PATCH', `${posts(thread)}/${number}`, input).then(({ post }) => post),
    deletePost: (thread: string, number: number) =>
      request<{ post?: Post }>('DELETE', `${posts(thread)}/${number}`).then(({ post }) => post),
    react: (thread: string, number: number, emoji: string, on: boolean) =>
      request<{ post?: Post }>(
        on ? 'PUT' : 'DELETE',
        `${posts(thread)}/${number}/reactions/${encodeURIComponent(emoji)}`,
      ).then(({ post }) => post),
    personas: () => request<PersonaList>('GET', '/api/personas').then(({ personas }) => personas),
    /** Asks a persona to reply to a post. Gives the reply, which is still to be written. */
    ask: (thread: string, number: number, input: Ask) =>
      request<PostAnswer>('POST', `${posts(thread)}/${number}/ask`, input).then(({ post }) => post),
    stop: (thread: string, number: number, run: string) =>
      request<PostAnswer>('POST', `${posts(thread)}/${number}/stop`, { run }).then(({ post }) => post),
    /** How an AI reply came about. */
    run: (thread: string, number: number) =>
      request<{ run: RunReport }>('GET', `${posts(thread)}/${number}/run`).then(({ run }) => run),
    /** What Markdown will look like in `thread`. */
    preview: (thread: string | undefined, body: string) =>
      request<{ html: string; embeds?: Embed[] }>('POST', '/api/preview', { thread, body }),
    signInGuest: (name: string) => signIn('sign-in/anonymous', { name }),
    signIn: (email: string, password: string) => signIn('sign-in/email', { email, password }),
    signUp: (name: string, email: string, password: string) =>
      signIn('sign-up/email', { name, email, password }),
    /** Where to sign in with the site's identity provider, which sends the reader back to `back`. */
    signInElsewhere: (back: string) =>
      request<{ url: string }>('POST', '/api/auth/sign-in/social', {
        provider: 'oidc',
        callbackURL: back,
      }).then(({ url }) => url),
    /** Who a bearer token belongs to; nobody, when it does not hold any more. */
    whoami: () =>
      request<{ user: Viewer } | null>('GET', '/api/auth/get-session').then((found) => found?.user ?? null),
    signOut: () => request<object>('POST', '/api/auth/sign-out', {}),
    /** Whatever else: the pages of admins know more of the interface than all others need. */
    request,
  }
}

/** The problem that an answer tells of. The accounts' own errors are no problem documents: their message is kept. */
async function readProblem(answer: Response): Promise<Problem> {
  const document = (await answer.json().catch(() => ({}))) as Partial<ProblemDocument> & { message?: string }
  const code = codeOf(document.code, answer.status)
  const detail = document.detail ?? document.message
  return new Problem(code, {
    ...(detail === undefined ? {} : { detail }),
    ...(document.retryMs === undefined ? {} : { retryMs: document.retryMs }),
    ...(document.issues === undefined ? {} : { issues: document.issues }),
  })
}

function codeOf(code: string | undefined, status: number): ProblemCode {
  if (code !== undefined && Object.hasOwn(problems, code)) return code as ProblemCode
  if (status === 401) return 'sign-in-required'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not-found'
  if (status === 429) return 'rate-limited'
  if (status === 502 || status === 503 || status === 504) return 'unavailable'
  return status >= 500 ? 'internal' : 'invalid'
}
