import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Problem } from '../../../shared/errors.ts'
import type { FieldProblems } from '../../views/fields.tsx'

export interface FormProps {
  label: string
  submitLabel: string
  /** Resolves when it is done; what it throws is shown, by field where the server says so. */
  send(data: FormData): Promise<void>
  onClose?(): void
  children(problems: FieldProblems): ComponentChildren
}

/** A form of the admin page. */
export function Form({ label, submitLabel, send, onClose, children }: FormProps) {
  const [busy, setBusy] = useState(false)
  const [problems, setProblems] = useState<FieldProblems>({})
  const form = useRef<HTMLFormElement>(null)
  const gone = useRef(false)
  useEffect(() => () => void (gone.current = true), [])

  // Where the first thing to mend is.
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus()
  }, [problems])

  async function submit(data: FormData) {
    setBusy(true)
    setProblems({})
    try {
      await send(data)
    } catch (error) {
      const fields = form.current?.querySelectorAll('[name]') ?? []
      const names = new Set(Array.from(fields, (field) => field.getAttribute('name')))
      if (!gone.current) setProblems(byField(error, names))
    } finally {
      if (!gone.current) setBusy(false)
    }
  }

  return (
    <form
      ref={form}
      class="admin-form"
      aria-label={label}
      onSubmit={(event) => {
        event.preventDefault()
        if (!busy) void submit(new FormData(event.currentTarget))
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.isComposing || onClose === undefined) return
        event.preventDefault()
        onClose()
      }}
    >
      {children(problems)}
      <p class="problem field-wide" role="alert">
        {problems['']}
      </p>
      <p class="buttons field-wide">
        <button type="submit" class="button" disabled={busy}>
          {submitLabel}
        </button>
        {onClose !== undefined && (
          <button type="button" class="action" onClick={() => onClose()}>
            Cancel
          </button>
        )}
      </p>
    </form>
  )
}

/** Sorts what the server said to the fields it is about; '' gets the rest. */
export function byField(error: unknown, names: ReadonlySet<string | null>): FieldProblems {
  const problems: Record<string, string> = {}
  const rest: string[] = []
  for (const { path, message } of (error instanceof Problem && error.issues) || []) {
    const name = fieldAt(path.slice(1), names)
    if (name !== undefined) problems[name] ??= message
    else rest.push(`${path.slice(1)}: ${message}`)
  }
  if (rest.length > 0) problems[''] = rest.join('; ')
  else if (Object.keys(problems).length === 0) problems[''] = wordsOf(error)
  return problems
}

/** The field that holds what a path leads to: a list, say, is typed into one. */
function fieldAt(path: string, names: ReadonlySet<string | null>): string | undefined {
  for (let name = path; name !== ''; name = name.slice(0, Math.max(name.lastIndexOf('/'), 0))) {
    if (names.has(name)) return name
  }
  return undefined
}

export function wordsOf(error: unknown): string {
  return error instanceof Problem ? error.message : 'Something went wrong'
}

/** What a form's field holds, without the space around it. */
export function textOf(data: FormData, name: string): string {
  const value = data.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

/** Asks once more before what cannot be taken back. */
export function Confirm(props: { question: string; yes: string; no: string; onYes(): void; onNo(): void }) {
  const keep = useRef<HTMLButtonElement>(null)
  useEffect(() => keep.current?.focus(), [])
  return (
    <span class="confirm" role="group" aria-label={props.question}>
      <span>{props.question}</span>
      <button type="button" class="action action-danger" onClick={() => props.onYes()}>
        {props.yes}
      </button>
      <button ref={keep} type="button" class="action" onClick={() => props.onNo()}>
        {props.no}
      </button>
    </span>
  )
}

/** A part of the page: a list, and what adds to it. */
export function Section(props: {
  id: string
  title: string
  addLabel: string
  /** Said where the list is empty. */
  empty?: string | false
  /** The form by which one is added; `close` takes it away. */
  form(close: () => void): ComponentChildren
  children: ComponentChildren
}) {
  const { id, title, addLabel, empty, form, children } = props
  const [adding, setAdding] = useState(false)
  const add = useRef<HTMLButtonElement>(null)
  function close() {
    setAdding(false)
    add.current?.focus()
  }
  return (
    <section aria-labelledby={id}>
      <div class="admin-head">
        <h2 id={id}>{title}</h2>
        <button
          ref={add}
          type="button"
          class="button"
          aria-expanded={adding}
          onClick={() => setAdding(!adding)}
        >
          {addLabel}
        </button>
      </div>
      {adding && form(close)}
      {empty && <p class="note">{empty}</p>}
      <ul class="admin-list">{children}</ul>
    </section>
  )
}

/** One of a list: what it is, and beneath, what is done about it. */
export function Item(props: {
  title: ComponentChildren
  facts: ComponentChildren
  picture?: ComponentChildren
  actions: ComponentChildren
  children?: ComponentChildren
  off?: boolean
}) {
  return (
    <li class="admin-item" data-off={props.off === true ? '' : undefined}>
      <div class="admin-line">
        {props.picture}
        <div class="admin-words">
          <h3>{props.title}</h3>
          {props.facts}
        </div>
        <div class="admin-actions">{props.actions}</div>
      </div>
      {props.children}
    </li>
  )
}
