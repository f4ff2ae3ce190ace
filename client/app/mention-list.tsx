import type { RefObject } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import type { Persona } from '../../shared/persona.ts'
import { count } from '../views/format.ts'
import { complete, matching, mentionAt, type Mention } from './mentions.ts'

export interface MentionParts {
  area: RefObject<HTMLTextAreaElement | null>
  /** Who can be named; nothing where naming somebody asks nobody. */
  personas: (() => Promise<readonly Persona[]>) | undefined
  onText(text: string): void
}

/** What the composer needs to offer handles while one is written. */
export function useMentions({ area, personas, onText }: MentionParts) {
  const [all, setAll] = useState<readonly Persona[]>([])
  const [mention, setMention] = useState<Mention>()
  const [active, setActive] = useState(0)
  const id = useId()
  const found = mention === undefined ? [] : matching(all, mention.query)
  const open = found.length > 0

  useEffect(() => {
    // Without them the composer still writes: whoever knows a handle needs no list.
    personas?.().then(setAll, () => {})
  }, [])

  /** Looks at what stands before the cursor. */
  function look(): void {
    const field = area.current
    if (field === null) return
    const next = field.selectionStart === field.selectionEnd ? field.selectionStart : 0
    setMention(mentionAt(field.value, next))
    setActive(0)
  }

  function pick({ handle }: Persona): void {
    const field = area.current
    if (field === null || mention === undefined) return
    const { text, cursor } = complete(field.value, mention, handle)
    field.value = text
    field.setSelectionRange(cursor, cursor)
    field.focus()
    setMention(undefined)
    onText(text)
  }

  /** Says whether the key was meant for the list. */
  function press(event: KeyboardEvent): boolean {
    if (!open || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false
    const keys: Record<string, () => void> = {
      ArrowDown: () => setActive((active + 1) % found.length),
      ArrowUp: () => setActive((active + found.length - 1) % found.length),
      Enter: () => pick(found[active]!),
      Tab: () => pick(found[active]!),
      Escape: () => setMention(undefined),
    }
    const act = event.shiftKey ? undefined : keys[event.key]
    if (act === undefined) return false
    event.preventDefault()
    act()
    return true
  }

  return {
    /** Handles to name in a hint. */
    examples: all.slice(0, 3).map(({ handle }) => `@${handle}`),
    look,
    close: () => setMention(undefined),
    press,
    /** What tells screen readers of the list that belongs to the field. */
    field: {
      'aria-autocomplete': personas === undefined ? undefined : ('list' as const),
      'aria-controls': open ? id : undefined,
      'aria-activedescendant': open ? `${id}-${active}` : undefined,
    },
    list: open && <MentionList id={id} personas={found} active={active} onPick={pick} />,
  }
}

function MentionList(props: {
  id: string
  personas: readonly Persona[]
  active: number
  onPick(persona: Persona): void
}) {
  const { id, personas, active, onPick } = props
  return (
    <>
      <ul id={id} class="mentions" role="listbox" aria-label="AI participants to ask">
        {personas.map((persona, index) => (
          <li
            key={persona.id}
            id={`${id}-${index}`}
            class="mention"
            role="option"
            aria-selected={index === active}
            // The field keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onPick(persona)}
          >
            <b>@{persona.handle}</b> <span class="mention-does">{persona.description}</span>
          </li>
        ))}
      </ul>
      <p class="unseen" role="status">
        {count(personas.length, 'AI participant')}: arrows choose, Enter writes the handle
      </p>
    </>
  )
}
