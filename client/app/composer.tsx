import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Embed } from '../../shared/post.ts'
import { limits } from '../../shared/limits.ts'
import type { Persona } from '../../shared/persona.ts'
import { Body } from '../views/body.tsx'
import { useMentions } from './mention-list.tsx'
import { NameField } from './name-field.tsx'

export interface ComposerProps {
  label: string
  submitLabel: string
  body: string
  quote?: { number: number; text: string } | undefined
  /** Nobody is signed in: the composer asks for a name too. */
  asksName: boolean
  signIn: string
  onInput(body: string): void
  onDropQuote(): void
  /** Resolves when the composer may close; what it throws is shown. */
  onSubmit(input: { body: string; name: string; force: boolean }): Promise<void>
  onClose(): void
  /** Who has not signed in takes the name for it. */
  preview(body: string, name: string): Promise<{ html: string; embeds?: Embed[] }>
  /** The AI participants that the text may name and thereby ask; nothing where it asks nobody. */
  personas?: (() => Promise<readonly Persona[]>) | undefined
}

/** Someone changed the post while it was being edited. `html` is what it says now. */
export class EditConflict extends Error {
  readonly html: string

  constructor(html: string) {
    super('Someone changed this post while you were writing.')
    this.html = html
  }
}

type Shown = { kind: 'write' } | { kind: 'preview'; html: string; embeds: Embed[] | undefined }

/** Where a reply is written or a post edited. */
export function Composer(props: ComposerProps) {
  const [body, setBody] = useState(props.body)
  const [name, setName] = useState('')
  const [shown, setShown] = useState<Shown>({ kind: 'write' })
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Error>()
  const area = useRef<HTMLTextAreaElement>(null)
  const nameField = useRef<HTMLInputElement>(null)
  const alert = useRef<HTMLParagraphElement>(null)
  const form = useRef<HTMLFormElement>(null)
  const writing = shown.kind === 'write'
  const write = (text: string) => {
    setBody(text)
    props.onInput(text)
  }
  const mentions = useMentions({ area, personas: props.personas, onText: write })

  // At once: what is typed before the field has the focus would be lost.
  useLayoutEffect(() => {
    const field = area.current
    if (!writing || field === null) return
    field.focus({ preventScroll: true })
    field.setSelectionRange(field.value.length, field.value.length)
  }, [writing])
  useEffect(() => fit(area.current), [body, writing])
  useLayoutEffect(() => alert.current?.scrollIntoView({ block: 'nearest' }), [problem])

  // A keyboard that comes up on the screen must not cover the buttons.
  useLayoutEffect(() => {
    const show = () => form.current?.scrollIntoView({ block: 'nearest' })
    window.visualViewport?.addEventListener('resize', show)
    return () => window.visualViewport?.removeEventListener('resize', show)
  }, [])

  const conflict = problem instanceof EditConflict ? problem : undefined
  const left = limits.bodyMax - body.length
  const ready = body.trim() !== '' && left >= 0 && !busy && (!props.asksName || name.trim() !== '')

  async function submit() {
    if (!ready) return
    setBusy(true)
    setProblem(undefined)
    try {
      await props.onSubmit({ body, name: name.trim(), force: conflict !== undefined })
    } catch (error) {
      setProblem(error as Error)
    } finally {
      setBusy(false)
    }
  }

  async function preview() {
    if (props.asksName && name.trim() === '') {
      setProblem(new Error('Write your name first: a preview needs it too.'))
      nameField.current?.focus()
      return
    }
    try {
      const { html, embeds } = await props.preview(body, name.trim())
      setShown({ kind: 'preview', html, embeds })
      setProblem(undefined)
    } catch (error) {
      setProblem(error as Error)
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return
    if (event.target === area.current && mentions.press(event)) return
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      void submit()
    }
    if (event.key === 'Escape') {
      event.preventDefault()
      props.onClose()
    }
  }

  return (
    <form
      ref={form}
      class="composer"
      aria-label={props.label}
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <div class="composer-head">
        <span class="composer-label">{props.label}</span>
        <span class="tabs">
          <button
            type="button"
            class="tab"
            aria-pressed={writing}
            onClick={() => setShown({ kind: 'write' })}
          >
            Write
          </button>
          <button
            type="button"
            class="tab"
            aria-pressed={!writing}
            disabled={body.trim() === ''}
            onClick={() => void preview()}
          >
            Preview
          </button>
        </span>
      </div>
      {props.quote !== undefined && (
        <blockquote class="quote composer-quote">
          <p class="quote-text" dir="auto">
            {props.quote.text}
          </p>
          <button type="button" class="action" onClick={() => props.onDropQuote()}>
            Remove the quote
          </button>
        </blockquote>
      )}
      {shown.kind === 'write' ? (
        <textarea
          ref={area}
          class="composer-text"
          dir="auto"
          aria-label={props.label}
          value={body}
          rows={4}
          placeholder="Markdown works here."
          {...mentions.field}
          onInput={(event) => {
            write(event.currentTarget.value)
            mentions.look()
          }}
          onBlur={mentions.close}
        />
      ) : (
        <div class="body composer-preview" tabIndex={0} aria-label="Preview">
          <Body html={shown.html} embeds={shown.embeds} />
        </div>
      )}
      {writing && mentions.list}
      {props.personas !== undefined && (
        <p class="composer-hint">
          {mentions.examples.length > 0 &&
            `${mentions.examples.join(', ').replace(/, (?=[^,]*$)/, ' or ')} in the text asks an AI to reply.`}
        </p>
      )}
      {conflict !== undefined && (
        <div class="conflict">
          <p>This is what it says now:</p>
          <div class="body">
            <Body html={conflict.html} />
          </div>
        </div>
      )}
      {problem !== undefined && (
        <p ref={alert} class="problem" role="alert">
          {problem.message}
        </p>
      )}
      <div class="composer-end">
        {props.asksName && <NameField field={nameField} name={name} signIn={props.signIn} onName={setName} />}
        {left < 1_000 && (
          <span class={left < 0 ? 'problem' : 'note'} role="status">
            {left < 0 ? `${-left} characters too many` : `${left} characters left`}
          </span>
        )}
        <span class="composer-keys">Ctrl+Enter sends, Esc keeps a draft</span>
        <button type="button" class="action" onClick={() => props.onClose()}>
          Close
        </button>
        <button type="submit" class="button" disabled={!ready}>
          {conflict === undefined ? props.submitLabel : 'Replace it with mine'}
        </button>
      </div>
    </form>
  )
}

/** Makes the field as high as its text, where the browser does not do so itself. */
function fit(field: HTMLTextAreaElement | null): void {
  if (field === null || CSS.supports('field-sizing', 'content')) return
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + 2}px`
}
