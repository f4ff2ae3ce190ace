import { useState } from 'preact/hooks'
import { limits } from '../../../shared/limits.ts'
import type { ModelInfo } from '../../../shared/models.ts'
import type { AdminPersona, ChangePersona } from '../../../shared/persona-admin.ts'
import type { Askers } from '../../../shared/persona.ts'
import { AreaField, CheckField, ChoiceField, TextField, type FieldProblems } from '../../views/fields.tsx'
import { grouped } from '../../views/format.ts'
import { Form, textOf } from './form.tsx'

export const askersInWords: Record<Askers, string> = {
  everyone: 'Everyone',
  members: 'People with an account',
  moderators: 'Moderators and admins',
}

/** Where a persona is added or changed. `persona` is missing for a new one. */
export function PersonaForm(props: {
  persona?: AdminPersona
  models: readonly ModelInfo[]
  send(input: ChangePersona): Promise<void>
  onClose(): void
}) {
  const { persona, models, onClose } = props
  const shipped = persona?.shippedInstructions ?? null
  const [external, setExternal] = useState(persona?.external ?? false)
  return (
    <Form
      label={persona === undefined ? 'New AI participant' : `Edit ${persona.name}`}
      submitLabel={persona === undefined ? 'Add' : 'Save'}
      send={(data) => props.send(inputOf(data, external, shipped))}
      onClose={onClose}
    >
      {(problems) => (
        <>
          <Who persona={persona} problems={problems} />
          <CheckField
            name="external"
            label="It runs elsewhere"
            hint="An agent outside that writes by an API key. It cannot be asked here."
            on={external}
            onChange={setExternal}
          />
          {!external && <Told persona={persona} shipped={shipped} models={models} problems={problems} />}
          <TokensField
            name="maxOutputTokens"
            label="Writes at most, in tokens"
            range={limits.personaOutputTokens}
            value={persona?.maxOutputTokens}
            problems={problems}
          />
          {!external && (
            <TokensField
              name="contextTokens"
              label="Reads at most, in tokens"
              range={limits.personaContextTokens}
              value={persona?.contextTokens}
              problems={problems}
            />
          )}
          <CheckField
            name="enabled"
            label="Enabled"
            hint="Otherwise it neither answers nor writes. What it has written stays."
            on={persona?.enabled ?? true}
          />
        </>
      )}
    </Form>
  )
}

function Who({ persona, problems }: { persona: AdminPersona | undefined; problems: FieldProblems }) {
  return (
    <>
      <TextField
        name="name"
        label="Name"
        required
        maxLength={limits.nameMax}
        defaultValue={persona?.name}
        problems={problems}
      />
      <TextField
        name="handle"
        label="Handle"
        hint="People ask it by @ and the handle."
        required
        pattern="[a-z][a-z0-9\-]*[a-z0-9]"
        title="Small letters, digits and hyphens, a letter first"
        autocapitalize="none"
        spellcheck={false}
        maxLength={limits.handleMax}
        defaultValue={persona?.handle}
        problems={problems}
      />
      <TextField
        name="picture"
        label="Picture"
        hint="One emoji. Without one, initials are shown."
        maxLength={32}
        defaultValue={persona?.picture}
        problems={problems}
      />
      <TextField
        name="description"
        label="Description"
        hint="What it is good for, in a line."
        maxLength={limits.descriptionMax}
        defaultValue={persona?.description}
        problems={problems}
      />
    </>
  )
}

/** What only those have who are answered for here. */
function Told(props: {
  persona: AdminPersona | undefined
  shipped: string | null
  models: readonly ModelInfo[]
  problems: FieldProblems
}) {
  const { persona, shipped, models, problems } = props
  const [instructions, setInstructions] = useState(persona?.instructions ?? shipped ?? '')
  const byDefault = models.find(({ isDefault }) => isDefault)?.name ?? 'offline extracts'
  const own = models.filter(({ source }) => source === 'database')
  return (
    <>
      <AreaField
        name="instructions"
        label="Instructions"
        hint={shipped === null ? undefined : inWords(instructions.trim() === shipped)}
        required
        rows={10}
        maxLength={limits.instructionsMax}
        value={instructions}
        onInput={(event) => setInstructions(event.currentTarget.value)}
        problems={problems}
      />
      {shipped !== null && instructions.trim() !== shipped && (
        <p class="field-wide">
          <button type="button" class="action action-strong" onClick={() => setInstructions(shipped)}>
            Back to the shipped instructions
          </button>
        </p>
      )}
      <ChoiceField
        name="modelId"
        label="Model"
        choices={[
          ['', `The site’s default (${byDefault})`],
          ...own.map(({ id, name }) => [id, name] as const),
        ]}
        chosen={persona?.modelId ?? ''}
        problems={problems}
      />
      <ChoiceField
        name="askers"
        label="Who may ask"
        choices={Object.entries(askersInWords)}
        chosen={persona?.askers ?? 'everyone'}
        problems={problems}
      />
    </>
  )
}

function inWords(asShipped: boolean): string {
  return asShipped
    ? 'As shipped: a new version of the program may bring better ones.'
    : 'Your own: a new version of the program does not change them.'
}

function TokensField(props: {
  name: string
  label: string
  range: { least: number; usual: number; most: number }
  value: number | undefined
  problems: FieldProblems
}) {
  const { name, label, range, value = range.usual, problems } = props
  return (
    <TextField
      name={name}
      label={label}
      hint={`${grouped(range.least)} to ${grouped(range.most)}`}
      type="number"
      required
      min={range.least}
      max={range.most}
      step={1}
      defaultValue={value}
      problems={problems}
    />
  )
}

/** What the form says. What an agent outside has no use for stays as it is. */
function inputOf(data: FormData, external: boolean, shipped: string | null): ChangePersona {
  const instructions = textOf(data, 'instructions')
  const picture = textOf(data, 'picture')
  return {
    name: textOf(data, 'name'),
    handle: textOf(data, 'handle'),
    picture: picture === '' ? null : picture,
    description: textOf(data, 'description'),
    external,
    enabled: data.has('enabled'),
    maxOutputTokens: Number(data.get('maxOutputTokens')),
    ...(!external && {
      instructions: instructions === shipped ? null : instructions,
      modelId: textOf(data, 'modelId') || null,
      askers: textOf(data, 'askers') as Askers,
      contextTokens: Number(data.get('contextTokens')),
    }),
  }
}
