import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'

/** What is wrong, by the name of the field; under '' what concerns none of them. */
export type FieldProblems = Readonly<Record<string, string>>

interface FieldProps {
  name: string
  label: string
  hint?: ComponentChildren
  /** All problems of the form; the field shows its own. */
  problems: FieldProblems
  wide?: boolean
}

/** What ties a control to its label, its hint and its problem. */
interface Ties {
  id: string
  name: string
  'aria-describedby': string | undefined
  'aria-invalid': boolean | undefined
}

function Field({
  name,
  label,
  hint,
  problems,
  wide,
  children,
}: FieldProps & { children(ties: Ties): ComponentChildren }) {
  const id = useId()
  const problem = problems[name]
  const described = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`].filter(
    Boolean,
  )
  return (
    <div class={wide === true ? 'field field-wide' : 'field'}>
      <label for={id}>{label}</label>
      {children({
        id,
        name,
        'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
        'aria-invalid': problem === undefined ? undefined : true,
      })}
      {hint !== undefined && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p class="problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  )
}

export function TextField({ name, label, hint, problems, wide, ...input }: FieldProps & InputHTMLAttributes) {
  return (
    <Field {...{ name, label, hint, problems, ...(wide !== undefined && { wide }) }}>
      {(ties) => <input type="text" autocomplete="off" {...input} {...ties} />}
    </Field>
  )
}

export function AreaField({ name, label, hint, problems, ...area }: FieldProps & TextareaHTMLAttributes) {
  return (
    <Field {...{ name, label, hint, problems }} wide>
      {(ties) => <textarea dir="auto" {...area} {...ties} />}
    </Field>
  )
}

/** `choices` are values and what people read for them. */
export function ChoiceField(
  props: FieldProps & {
    choices: readonly (readonly [value: string, label: string])[]
    chosen: string
    onChoose?(value: string): void
  },
) {
  const { choices, chosen, onChoose, ...field } = props
  return (
    <Field {...field}>
      {(ties) => (
        <select {...ties} onChange={(event) => onChoose?.(event.currentTarget.value)}>
          {choices.map(([value, label]) => (
            <option key={value} value={value} selected={value === chosen}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function CheckField(props: {
  name: string
  label: string
  hint?: string
  on: boolean
  onChange?(on: boolean): void
}) {
  const id = useId()
  const { name, label, hint, on, onChange } = props
  return (
    <div class="field field-wide field-check">
      <input
        type="checkbox"
        id={id}
        name={name}
        defaultChecked={on}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange?.(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="note" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}
