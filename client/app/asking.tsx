import { render } from 'preact'
import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import type { Api } from '../api.ts'
import { askable } from '../views/permissions.ts'
import { AskPanel } from './ask-panel.tsx'
import type { Personas } from './personas.ts'
import type { Session } from './session.ts'

export interface AskingParts {
  thread: string
  api: Pick<Api, 'ask'>
  personas: Personas
  session: Session
  newId?: () => string
  /** How far the reader knew the thread before: the last post's number. */
  since(): number | undefined
  /** The panel beneath the post is open, or no longer. */
  onOpen(number: number, open: boolean): void
  /** The reply is there, still to be written. */
  onAsked(reply: Post): void
}

/** Asks AI participants for replies. There is one panel for it on the page, beneath one post. */
export interface Asking {
  /** Opens the panel for a post, within its element, or closes it when it is open there. */
  toggle(post: Post, within: HTMLElement): void
  /** Asks for another reply like this one. Who has no name yet is asked for it first. Throws the refusal. */
  again(reply: Post, within: HTMLElement): Promise<void>
}

interface Request {
  /** The post that is to be replied to. */
  to: number
  persona: string
  request: string
}

interface Opened {
  /** The post beneath which it is open. */
  number: number
  slot: HTMLElement
  back: Element | null
}

export function createAsking(parts: AskingParts): Asking {
  const { thread, api, personas, session, newId = () => crypto.randomUUID() } = parts
  // The same request under the same id makes one reply, however often it is sent until it is answered.
  const unanswered = new Map<string, string>()
  let opened: Opened | undefined

  async function ask({ to, persona, request }: Request): Promise<Post> {
    const key = JSON.stringify([to, persona, request])
    const clientId = unanswered.get(key) ?? newId()
    unanswered.set(key, clientId)
    const since = parts.since()
    const reply = await api.ask(thread, to, {
      persona,
      clientId,
      ...(request === '' ? {} : { request }),
      ...(since === undefined ? {} : { since }),
    })
    unanswered.delete(key)
    return reply
  }

  interface Given {
    to: number
    label: string
    request?: string | undefined
    first?: string
  }

  function open(number: number, within: HTMLElement, { to, label, request = '', first }: Given): void {
    close()
    const back = document.activeElement
    const slot = within.appendChild(document.createElement('div'))
    slot.className = 'slot'
    opened = { number, slot, back }
    // Said before it is drawn: the focus is in the panel then.
    parts.onOpen(number, true)
    const panel = (
      <AskPanel
        label={label}
        request={request}
        first={first}
        asksName={session.viewer === null}
        signIn={session.signIn}
        personas={async () => askable(await personas.all(), session.viewer)}
        onAsk={async ({ persona, request: line, name }) => {
          await session.beGuest(name)
          const reply = await ask({ to, persona, request: line })
          // Before the reply is looked for: it moves up by as much as the panel is high.
          if (opened?.slot === slot) close()
          parts.onAsked(reply)
        }}
        onClose={close}
      />
    )
    render(panel, slot)
  }

  function close(): void {
    if (opened === undefined) return
    const { number, slot, back } = opened
    opened = undefined
    render(null, slot)
    slot.remove()
    parts.onOpen(number, false)
    if (back instanceof HTMLElement && back.isConnected) back.focus({ preventScroll: true })
  }

  return {
    toggle(post, within) {
      const isOpen = opened?.number === post.number && opened.slot.isConnected
      if (isOpen) return close()
      const label =
        post.parent === null
          ? 'Ask an AI about the thread'
          : `Ask an AI to reply to #${post.number} ${post.author.name}`
      open(post.number, within, { to: post.number, label })
    },
    async again({ number, parent, author, request }, within) {
      if (parent === null) return
      const persona = (await personas.all()).find(({ id }) => id === author.id)
      if (persona === undefined || persona.external)
        throw new Problem('persona-not-found', { detail: `${author.name} cannot be asked any more` })
      if (session.viewer === null) {
        const label = `Ask ${author.name} to reply to #${parent} again`
        return open(number, within, { to: parent, label, request, first: persona.id })
      }
      parts.onAsked(await ask({ to: parent, persona: persona.handle, request: request ?? '' }))
    },
  }
}
