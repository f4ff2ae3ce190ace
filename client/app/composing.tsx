import { render } from 'preact'
import { limits } from '../../shared/limits.ts'
import { Problem } from '../../shared/errors.ts'
import type { Post } from '../../shared/post.ts'
import type { Api } from '../api.ts'
import type { Draft } from '../outbox.ts'
import { Composer, EditConflict, type ComposerProps } from './composer.tsx'
import { askable } from '../views/permissions.ts'
import type { Personas } from './personas.ts'
import type { Session } from './session.ts'
import { readJson, remembered } from './storage.ts'

export interface ComposingParts {
  thread: string
  api: Pick<Api, 'preview' | 'post' | 'editPost'>
  session: Session
  personas: Personas
  send(draft: Draft): void
  /** What writing to the thread itself is called. */
  rootLabel: string
  onEdited(post: Post): void
  typing(parent: number | null): void
}

type Quote = NonNullable<Draft['quote']>

/** Opens and closes the one composer of the page. What is written is kept as a draft until it is sent. */
export interface Composing {
  /** `within` is the element that the composer comes into; `quote` replaces what the draft quotes. */
  reply(to: Post, within: HTMLElement, quote?: Quote): void
  /** Opens with the given text: that of a post which could not be sent. */
  rewrite(to: Post, within: HTMLElement, draft: Draft): void
  edit(post: Post, within: HTMLElement): Promise<void>
  close(): void
}

interface SavedDraft {
  body: string
  quote?: Quote
}

interface SavedEdit {
  body: string
  /** The version that the edit was begun on. */
  seq: number
}

export function createComposing(parts: ComposingParts): Composing {
  const { thread, api, session } = parts
  let slot: HTMLElement | undefined
  let back: Element | null = null

  function show(
    props: Omit<ComposerProps, 'asksName' | 'signIn' | 'preview' | 'onClose'>,
    within: HTMLElement,
  ): void {
    if (slot?.parentElement !== within) close()
    if (slot === undefined) {
      back = document.activeElement
      slot = within.appendChild(document.createElement('div'))
      slot.className = 'slot'
    }
    const into = slot
    const draw = () => {
      const asksName = session.viewer === null
      const view = (
        <Composer
          key={props.label}
          {...props}
          asksName={asksName}
          signIn={session.signIn}
          preview={preview}
          onClose={close}
        />
      )
      render(view, into)
    }
    const preview = async (body: string, name: string) => {
      if (session.viewer === null) {
        await session.beGuest(name)
        if (into === slot) draw()
      }
      return api.preview(thread, body)
    }
    draw()
    into.scrollIntoView({ block: 'nearest' })
  }

  function close(): void {
    if (slot === undefined) return
    render(null, slot)
    slot.remove()
    slot = undefined
    parts.typing(null)
    if (!(back instanceof HTMLElement) || !back.isConnected) return
    back.focus({ preventScroll: true })
    back.scrollIntoView({ block: 'nearest' })
  }

  function reply(to: Post, within: HTMLElement, quote?: Quote): void {
    const store = remembered(`draft:${thread}:${to.number}`)
    const draft: SavedDraft = readJson<SavedDraft>(store) ?? { body: '' }
    if (quote !== undefined) draft.quote = quote
    const save = () =>
      store.set(draft.body === '' && draft.quote === undefined ? null : JSON.stringify(draft))
    save()

    const open = () =>
      show(
        {
          label: to.parent === null ? parts.rootLabel : `Reply to #${to.number} ${to.author.name}`,
          submitLabel: 'Reply',
          body: draft.body,
          quote: draft.quote,
          personas: async () => askable(await parts.personas.all(), session.viewer),
          onInput(body) {
            draft.body = body
            save()
            parts.typing(body === '' ? null : to.number)
          },
          onDropQuote() {
            delete draft.quote
            save()
            open()
          },
          async onSubmit({ body, name }) {
            await session.beGuest(name)
            store.set(null)
            close()
            parts.send({
              parent: to.number,
              body,
              ...(draft.quote === undefined ? {} : { quote: draft.quote }),
            })
          },
        },
        within,
      )
    // A composer that is open here already takes the new quote; another text field would be a new one.
    open()
  }

  async function edit(post: Post, within: HTMLElement): Promise<void> {
    const { number } = post
    const store = remembered(`edit:${thread}:${number}`)
    const current = await api.post(thread, number)
    const kept = readJson<SavedEdit>(store)
    // A draft goes on from the version it was begun on: what someone changed since must not be undone unseen.
    let seq = kept?.seq ?? current.seq
    show(
      {
        label: `Edit #${number}`,
        submitLabel: 'Save',
        body: kept?.body ?? current.body,
        onInput: (body) =>
          store.set(body === current.body ? null : JSON.stringify({ body, seq } satisfies SavedEdit)),
        onDropQuote() {},
        async onSubmit({ body }) {
          try {
            const edited = await api.editPost(thread, number, { body, seq })
            store.set(null)
            close()
            if (edited !== undefined) parts.onEdited(edited)
          } catch (problem) {
            if (!(problem instanceof Problem) || problem.code !== 'edit-conflict') throw problem
            const newer = await api.post(thread, number)
            // Saving once more replaces the version that is shown now, and no later one.
            seq = newer.seq
            throw new EditConflict(newer.html)
          }
        },
      },
      within,
    )
  }

  return {
    reply,
    rewrite(to, within, { body, quote }) {
      const draft: SavedDraft = {
        body: body.slice(0, limits.bodyMax),
        ...(quote === undefined ? {} : { quote }),
      }
      remembered(`draft:${thread}:${to.number}`).set(JSON.stringify(draft))
      close()
      reply(to, within)
    },
    edit,
    close,
  }
}
