import type { Persona } from '../../shared/persona.ts'
import type { Api } from '../api.ts'

/** The site's AI participants, fetched when somebody first asks for them. */
export interface Personas {
  /** Throws the problem when they cannot be had; asking again tries again. */
  all(): Promise<readonly Persona[]>
}

export function createPersonas(api: Pick<Api, 'personas'>): Personas {
  let fetched: Promise<readonly Persona[]> | undefined
  return {
    all() {
      fetched ??= api.personas().catch((problem: unknown) => {
        fetched = undefined
        throw problem
      })
      return fetched
    },
  }
}
