import type { RefObject } from 'preact'
import { limits } from '../../shared/limits.ts'
import { signInPath } from '../views/signed-in.tsx'

export interface NameFieldProps {
  field: RefObject<HTMLInputElement | null>
  name: string
  onName(name: string): void
}

/** Asks who has not signed in for the name that it takes to do something. */
export function NameField({ field, name, onName }: NameFieldProps) {
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
      <a href={signInPath(location.pathname)}>or sign in</a>
    </label>
  )
}
