import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { limits } from '../../shared/limits.ts'
import type { Persona } from '../../shared/persona.ts'
import { PersonaButton } from '../views/persona.tsx'
import { NameField } from './name-field.tsx'
import { problemText } from './problem-text.ts'

export interface AskPanelProps {
  label: string
  /** What the field for the reader's own line holds at first. */
  request: string
  /** Whom the reader may ask. What it throws is shown, with another try. */
  personas(): Promise<readonly Persona[]>
  /** The id of the one that is to have the focus first. */
  first?: string | undefined
  /** Nobody is signed in: the panel asks for a name too. */
  asksName: boolean
  signIn: string
  /** Resolves when the panel may close; what it throws is shown. */
  onAsk(input: { persona: string; request: string; name: string }): Promise<void>
  onClose(): void
}

type List = { kind: 'loading' } | { kind: 'there'; personas: readonly Persona[] } | { kind: 'missing' }

/** Where a reader chooses who is to reply. One press on a persona asks it. */
export function AskPanel(props: AskPanelProps) {
  const [list, setList] = useState<List>({ kind: 'loading' })
  const [name, setName] = useState('')
  const [request, setRequest] = useState(props.request)
  const [asked, setAsked] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const panel = useRef<HTMLElement>(null)
  const nameField = useRef<HTMLInputElement>(null)
  const alert = useRef<HTMLParagraphElement>(null)

  async function load() {
    setList({ kind: 'loading' })
    setProblem(undefined)
    try {
      setList({ kind: 'there', personas: await props.personas() })
    } catch (error) {
      setList({ kind: 'missing' })
      setProblem(problemText(error))
    }
  }
  useEffect(() => void load(), [])

  // Who came by keyboard goes on where the next thing is to be done.
  useLayoutEffect(() => {
    // Who has begun to write goes on writing where that is.
    if (document.activeElement !== panel.current && panel.current?.contains(document.activeElement)) return
    const first = panel.current?.querySelector<HTMLElement>('.persona[data-first], .persona')
    const field = props.asksName ? nameField.current : first
    ;(field ?? panel.current)?.focus({ preventScroll: true })
    panel.current?.scrollIntoView({ block: 'nearest' })
  }, [list.kind])
  useLayoutEffect(() => alert.current?.scrollIntoView({ block: 'nearest' }), [problem])

  async function ask(persona: string) {
    if (asked !== undefined) return
    if (props.asksName && name.trim() === '') {
      setProblem('Write your name first: others see who asked.')
      nameField.current?.focus()
      return
    }
    setAsked(persona)
    setProblem(undefined)
    try {
      await props.onAsk({ persona, request: request.trim(), name: name.trim() })
    } catch (error) {
      setProblem(problemText(error))
      setAsked(undefined)
    }
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.isComposing) return
    if (event.key === 'Escape') {
      event.preventDefault()
      props.onClose()
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step === undefined || panel.current === null) return
    const stops = [...panel.current.querySelectorAll<HTMLElement>('input, .persona')]
    const next = stops[stops.indexOf(event.target as HTMLElement) + step]
    if (next === undefined) return
    event.preventDefault()
    next.focus()
  }

  return (
    <section
      ref={panel}
      class="ask-panel"
      aria-label={props.label}
      aria-busy={list.kind === 'loading' || asked !== undefined}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <div class="composer-head">
        <span class="composer-label">{props.label}</span>
        <button type="button" class="action" onClick={() => props.onClose()}>
          Close
        </button>
      </div>
      {props.asksName && <NameField field={nameField} name={name} signIn={props.signIn} onName={setName} />}
      <label class="ask-request">
        <span>
          What you want to know <span class="note">(optional)</span>
        </span>
        <input
          type="text"
          value={request}
          maxLength={limits.requestMax}
          dir="auto"
          onInput={(event) => setRequest(event.currentTarget.value)}
        />
      </label>
      {list.kind === 'loading' && <p class="note">One moment…</p>}
      {list.kind === 'there' && list.personas.length === 0 && (
        <p class="note">There is no AI here that you may ask.</p>
      )}
      {list.kind === 'there' && list.personas.length > 0 && (
        <ul class="personas">
          {list.personas.map((persona) => (
            <li key={persona.id}>
              <PersonaButton
                persona={persona}
                first={persona.id === props.first}
                busy={persona.handle === asked}
                onPress={() => void ask(persona.handle)}
              />
            </li>
          ))}
        </ul>
      )}
      {problem !== undefined && (
        <p ref={alert} class="problem" role="alert">
          {problem}
          {list.kind === 'missing' && (
            <button type="button" class="action action-strong" onClick={() => void load()}>
              Try again
            </button>
          )}
        </p>
      )}
    </section>
  )
}
