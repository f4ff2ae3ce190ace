import type { RefObject } from 'preact'
import { limits } from '../../shared/limits.ts'

export interface NameFieldProps {
  field: RefObject<HTMLInputElement | null>
  name: string
  /** Where one signs in instead. */
  signIn: string
  onName(name: string): void
}

/** Asks who has not signed in for the name that it takes to do something. */
export function NameField({ field, name, signIn, onName }: NameFieldProps) {
  return (
    <label class="composer-name">
      Your name
      <input
        ref={field}
        type="text"
        value={name}
        maxLength={limits.nameMax}
        autocomplete="nickname"
        onInput={(event) => onName(event.currentTarget.value)}
      />
      <a href={signIn}>or sign in</a>
    </label>
  )
}
