import { useRef, useState } from 'preact/hooks'
import type { ModelInfo } from '../../../shared/models.ts'
import type { AdminPersona } from '../../../shared/persona-admin.ts'
import { Avatar } from '../../views/author.tsx'
import type { AdminApi } from './api.ts'
import { Item, Section } from './form.tsx'
import { Keys } from './keys.tsx'
import { askersInWords, PersonaForm } from './persona-form.tsx'

export interface SectionProps {
  api: AdminApi
  /** Reads everything again, and says `done`. */
  onChanged(done: string): Promise<void>
}

/** The AI participants of the site. */
export function Personas(
  props: SectionProps & { personas: readonly AdminPersona[]; models: readonly ModelInfo[] },
) {
  const { api, personas, models, onChanged } = props
  return (
    <Section
      id="personas"
      title="AI participants"
      addLabel="Add a participant"
      form={(close) => (
        <PersonaForm
          models={models}
          send={async ({ instructions, ...input }) => {
            await api.addPersona({ ...input, instructions: instructions ?? undefined })
            close()
            await onChanged(`${input.name} was added.`)
          }}
          onClose={close}
        />
      )}
    >
      {personas.map((persona) => (
        <OnePersona key={persona.id} {...{ api, persona, models, onChanged }} />
      ))}
    </Section>
  )
}

function OnePersona(props: SectionProps & { persona: AdminPersona; models: readonly ModelInfo[] }) {
  const { api, persona, models, onChanged } = props
  const { id, handle, name, picture, enabled, banned, external } = persona
  const [open, setOpen] = useState(false)
  const edit = useRef<HTMLButtonElement>(null)
  function close() {
    setOpen(false)
    edit.current?.focus()
  }
  const author = { id, name, kind: 'ai' as const, ...(picture !== undefined && { picture }) }
  return (
    <Item
      off={!enabled || banned}
      picture={<Avatar author={author} />}
      title={
        <>
          <bdi>{name}</bdi> <span class="admin-handle">@{handle}</span>
          {!enabled && <span class="admin-tag">disabled</span>}
          {banned && <span class="admin-tag">banned</span>}
          {external && <span class="admin-tag">elsewhere</span>}
        </>
      }
      facts={
        <>
          {persona.description !== '' && <p>{persona.description}</p>}
          <p class="note">{factsOf(persona)}</p>
        </>
      }
      actions={
        <button
          ref={edit}
          type="button"
          class="action action-strong"
          aria-expanded={open}
          aria-label={`Edit ${name}`}
          onClick={() => setOpen(!open)}
        >
          Edit
        </button>
      }
    >
      {open && (
        <>
          <PersonaForm
            persona={persona}
            models={models}
            send={async (input) => {
              await api.changePersona(handle, input)
              close()
              await onChanged(`${input.name} was saved.`)
            }}
            onClose={close}
          />
          {external && <Keys api={api} handle={handle} />}
        </>
      )}
    </Item>
  )
}

function factsOf({
  external,
  model,
  askers,
  version,
  instructions,
  shippedInstructions,
}: AdminPersona): string {
  if (external) return 'Writes by an API key'
  return [
    model,
    `asked by ${askersInWords[askers].toLowerCase()}`,
    ...(shippedInstructions !== null && instructions !== null ? ['own instructions'] : []),
    `version ${version}`,
  ].join(' · ')
}
