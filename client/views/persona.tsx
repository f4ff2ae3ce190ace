import type { Persona } from '../../shared/persona.ts'
import { Avatar } from './author.tsx'

/** What answers for a persona, in words. */
export function modelOf({ offline, model }: Pick<Persona, 'offline' | 'model'>): string {
  return offline ? 'offline: picks sentences only' : model
}

/** An AI participant that can be asked by one press. */
export function PersonaButton(props: { persona: Persona; first: boolean; busy: boolean; onPress(): void }) {
  const { persona, first, busy, onPress } = props
  const { id, handle, name, description, picture } = persona
  const author = { id, name, kind: 'ai' as const, ...(picture === undefined ? {} : { picture }) }
  return (
    <button
      type="button"
      class="persona"
      data-handle={handle}
      data-first={first ? '' : undefined}
      aria-busy={busy}
      onClick={onPress}
    >
      <Avatar author={author} />
      <span class="persona-words">
        <span class="persona-name">
          <bdi>{name}</bdi>{' '}
          <span class="persona-model">
            @{handle} · {busy ? 'asking…' : modelOf(persona)}
          </span>
        </span>{' '}
        <span class="persona-does" dir="auto">
          {description}
        </span>
      </span>
    </button>
  )
}
