import { h } from 'preact'
import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'
import type { Api } from '../api.ts'
import { postAnchor, threadPath } from '../views/format.ts'
import type { Asking } from './asking.tsx'
import type { Later } from './later.ts'
import { numberOf, type PostList } from './post-list.tsx'
import { problemText } from './problem-text.ts'
import type { Session } from './session.ts'
import type { Surroundings } from './thread-view.ts'
import type { Writing } from './writing.ts'

export interface ActionParts {
  list: HTMLElement
  api: Pick<Api, 'react' | 'deletePost' | 'stop' | 'run'>
  posts: PostList
  writing: Later<Pick<Writing, 'composing' | 'outbox' | 'quote'>>
  asking: Later<Asking>
  session: Session
  surroundings: Pick<Surroundings, 'addressOf' | 'visit'>
  loadTools(): Promise<void>
  state(): ThreadState
  receivePost(post: Post): void
  /** Scrolls to a post and marks it. */
  reveal(number: number): void
}

const copiedMs = 2_000

/** What opens beneath a post may open below the edge of the view. */
function showFoot(article: HTMLElement): void {
  article.querySelector(':scope > .foot')?.scrollIntoView({ block: 'nearest' })
}

/** Carries out what is pressed in the list: one listener for all posts. */
export function createActions(parts: ActionParts): void {
  const { list, api, posts, writing, asking, session, surroundings } = parts
  const thread = parts.state().thread.id

  type Action = (post: Post, article: HTMLElement, button: HTMLElement) => void | Promise<void>
  const actions: Record<string, Action> = {
    reply: (post, article) => writing.use(({ composing }) => composing.reply(post, article)),
    quote: (post, article) => writing.use(({ quote }) => quote(post, article)),
    parent(post) {
      if (post.parent === null) return
      surroundings.visit(threadPath(thread) + postAnchor(post.parent))
      parts.reveal(post.parent)
    },
    async link({ number }) {
      await navigator.clipboard.writeText(surroundings.addressOf(number))
      posts.setFoot(number, { copied: true })
      setTimeout(() => posts.setFoot(number, { copied: false }), copiedMs)
    },
    edit: (post, article) => writing.use(({ composing }) => composing.edit(post, article)),
    delete({ number }, article) {
      posts.setFoot(number, { confirming: true })
      article.querySelector<HTMLElement>('[data-action=keep]')?.focus()
    },
    keep({ number }, article) {
      posts.setFoot(number, { confirming: false })
      article.querySelector<HTMLElement>('[data-action=delete]')?.focus()
    },
    async 'delete-now'({ number }) {
      posts.setFoot(number, { confirming: false })
      const deleted = await api.deletePost(thread, number)
      if (deleted !== undefined) parts.receivePost(deleted)
    },
    pick({ number }, article) {
      posts.setFoot(number, { picker: posts.foot(number).picker !== true })
      showFoot(article)
      article.querySelector<HTMLElement>('.pick')?.focus({ preventScroll: true })
    },
    more({ number }, article) {
      posts.setFoot(number, { more: posts.foot(number).more !== true })
      showFoot(article)
    },
    fold: ({ number }) => posts.fold(number),
    async react(post, article, button) {
      const emoji = button.dataset['emoji'] ?? ''
      if (button.classList.contains('pick')) {
        posts.setFoot(post.number, { picker: false })
        article.querySelector<HTMLElement>('[data-action=pick]')?.focus({ preventScroll: true })
      }
      const me = session.viewer?.id
      if (me === undefined) throw new Problem('sign-in-required')
      const mine = post.reactions.find((reaction) => reaction.emoji === emoji)?.by.includes(me) === true
      const changed = await api.react(thread, post.number, emoji, !mine)
      if (changed !== undefined) parts.receivePost(changed)
    },
    ask: (post, article) => asking.use((one) => one.toggle(post, article)),
    'ask-again': (post, article) => asking.use((one) => one.again(post, article)),
    'retry-ask': (post, article) => asking.use((one) => one.again(post, article)),
    async stop({ number, run }) {
      if (run === undefined) return
      posts.setFoot(number, { stopping: true })
      try {
        parts.receivePost(await api.stop(thread, number, run))
      } catch (error) {
        posts.setFoot(number, { stopping: false })
        // It came to its own end first.
        if (!(error instanceof Problem && error.code === 'run-ended')) throw error
      }
    },
    async 'run-report'({ number }, article) {
      if (posts.foot(number).report !== undefined) return posts.setFoot(number, { report: undefined })
      posts.setFoot(number, { report: null })
      const isOpen = () => posts.foot(number).report !== undefined
      const loaded = Promise.all([import('../views/run-report.tsx'), parts.loadTools()])
      const [{ ReportPanel }] = await loaded.catch((error: unknown) => {
        posts.setFoot(number, { report: undefined })
        throw error
      })
      // It may have been closed again.
      if (!isOpen()) return
      posts.setFoot(number, { report: h(ReportPanel, { thread, number }) })
      const found = await api.run(thread, number).then(
        (run) => ({ run }),
        (error: unknown) => ({ problem: problemText(error) }),
      )
      if (!isOpen()) return
      posts.setFoot(number, { report: h(ReportPanel, { thread, number, ...found }) })
      article.querySelector('.run-report')?.scrollIntoView({ block: 'nearest' })
    },
    dismiss: ({ number }) => posts.setFoot(number, { unanswered: undefined }),
  }

  const pendingActions: Record<
    string,
    (clientId: string, writing: Pick<Writing, 'composing' | 'outbox'>) => void
  > = {
    retry: (clientId, { outbox }) => outbox.retry(clientId),
    discard: (clientId, { outbox }) => outbox.discard(clientId),
    rewrite(clientId, { outbox, composing }) {
      const entry = outbox.entries.find((one) => one.clientId === clientId)
      const parent = entry === undefined ? undefined : parts.state().posts[entry.parent - 1]
      const within = entry === undefined ? null : posts.element(entry.parent)
      if (entry === undefined || parent === undefined || within === null) return
      outbox.discard(clientId)
      composing.rewrite(parent, within, entry)
    },
  }

  async function press(button: HTMLElement, article: HTMLElement): Promise<void> {
    const name = button.dataset['action'] ?? ''
    const clientId = article.dataset['client']
    if (clientId !== undefined)
      return writing.use((written) => pendingActions[name]?.(clientId, written)).catch(reportError)
    const number = numberOf(article)
    const post = parts.state().posts[number - 1]
    if (post === undefined) return
    try {
      await actions[name]?.(post, article, button)
    } catch (error) {
      const problem = problemText(error)
      const needsName = error instanceof Problem && error.code === 'sign-in-required'
      const signIn = needsName ? session.signIn : undefined
      posts.setFoot(number, { problem, signIn })
    }
  }

  list.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return
    const article = event.target.closest<HTMLElement>('.post')
    const button = event.target.closest<HTMLElement>('[data-action]')
    if (article !== null && button !== null) return void press(button, article)
    const link = event.target.closest('a')
    const number = link === null ? undefined : postAt(link)
    if (link === null || number === undefined) return
    if (event.ctrlKey || event.metaKey || event.shiftKey || posts.element(number) === null) return
    event.preventDefault()
    // From a post's own address, its anchors lead to the thread's.
    surroundings.visit(link.hash === '' ? link.href : threadPath(thread) + link.hash)
    parts.reveal(number)
  })
  window.addEventListener('popstate', () => {
    const number = postAt(location)
    if (number !== undefined) parts.reveal(number)
    else list.querySelector('.focused')?.classList.remove('focused')
  })

  /** The post of this thread that an address names, as `#p17` or as a permalink. */
  function postAt({ origin, pathname, hash }: Pick<URL, 'origin' | 'pathname' | 'hash'>): number | undefined {
    if (origin !== location.origin) return undefined
    const anchor = pathname.startsWith(threadPath(thread)) ? /^#p(\d+)$/.exec(hash) : null
    const permalink = pathname.startsWith(`${threadPath(thread)}/`) ? /\/(\d+)$/.exec(pathname) : null
    const found = (anchor ?? permalink)?.[1]
    return found === undefined ? undefined : Number(found)
  }
}
