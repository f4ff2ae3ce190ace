import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import type { ThreadState } from '../../shared/thread-state.ts'
import type { Api } from '../api.ts'
import type { Outbox } from '../outbox.ts'
import { postPath } from '../views/format.ts'
import type { Composing } from './composing.tsx'
import { numberOf, type PostList } from './post-list.tsx'
import { openingPassage, selectedPassage } from './selection.ts'
import type { Session } from './session.ts'

export interface ActionParts {
  list: HTMLElement
  api: Pick<Api, 'react' | 'deletePost'>
  posts: PostList
  outbox: Outbox
  composing: Composing
  session: Session
  state(): ThreadState
  receivePost(post: Post): void
  /** Scrolls to a post and marks it. */
  reveal(number: number): void
}

const copiedMs = 2_000

/** Carries out what is pressed in the list: one listener for all posts. */
export function createActions(parts: ActionParts): { quote(article: HTMLElement, text: string): void } {
  const { list, api, posts, outbox, composing, session } = parts

  type Action = (post: Post, article: HTMLElement, button: HTMLElement) => void | Promise<void>
  const actions: Record<string, Action> = {
    reply: (post, article) => composing.reply(post, article),
    quote(post, article) {
      const selected = selectedPassage()
      const text = selected?.post === article ? selected.text : openingPassage(article)
      composing.reply(post, article, text === '' ? undefined : { number: post.number, text })
    },
    parent(post) {
      if (post.parent !== null) parts.reveal(post.parent)
    },
    async link({ number }) {
      await navigator.clipboard.writeText(location.origin + postPath(parts.state().thread.id, number))
      posts.setFoot(number, { copied: true })
      setTimeout(() => posts.setFoot(number, { copied: false }), copiedMs)
    },
    edit: (post, article) => composing.edit(post, article),
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
      const deleted = await api.deletePost(parts.state().thread.id, number)
      if (deleted !== undefined) parts.receivePost(deleted)
    },
    pick: ({ number }) => posts.setFoot(number, { picker: posts.foot(number).picker !== true }),
    more: ({ number }) => posts.setFoot(number, { more: posts.foot(number).more !== true }),
    fold: ({ number }) => posts.fold(number),
    async react(post, _article, button) {
      const emoji = button.dataset['emoji'] ?? ''
      posts.setFoot(post.number, { picker: false })
      const me = session.viewer?.id
      if (me === undefined) throw new Problem('sign-in-required')
      const mine = post.reactions.find((reaction) => reaction.emoji === emoji)?.by.includes(me) === true
      const changed = await api.react(parts.state().thread.id, post.number, emoji, !mine)
      if (changed !== undefined) parts.receivePost(changed)
    },
  }

  const pendingActions: Record<string, (clientId: string) => void> = {
    retry: (clientId) => outbox.retry(clientId),
    discard: (clientId) => outbox.discard(clientId),
    rewrite(clientId) {
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
    if (clientId !== undefined) return pendingActions[name]?.(clientId)
    const number = numberOf(article)
    const post = parts.state().posts[number - 1]
    if (post === undefined) return
    try {
      await actions[name]?.(post, article, button)
    } catch (problem) {
      posts.setFoot(number, { problem: problem instanceof Problem ? problem.message : 'That did not work' })
    }
  }

  list.addEventListener('click', (event) => {
    if (!(event.target instanceof Element)) return
    const article = event.target.closest<HTMLElement>('.post')
    const button = event.target.closest<HTMLElement>('[data-action]')
    if (article !== null && button !== null) return void press(button, article)
    const link = event.target.closest<HTMLAnchorElement>('a[href^="#p"]')
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return
    const number = Number(link.hash.slice(2))
    if (posts.element(number) === null) return
    event.preventDefault()
    history.pushState(null, '', link.hash)
    parts.reveal(number)
  })

  return {
    quote(article, text) {
      const post = parts.state().posts[numberOf(article) - 1]
      if (post !== undefined) composing.reply(post, article, { number: post.number, text })
    },
  }
}
