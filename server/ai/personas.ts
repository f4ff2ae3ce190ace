import type { Persona } from '../../shared/persona.ts'
import type { Db } from '../store/database.ts'

/** A persona as the server knows it. */
export interface StoredPersona extends Omit<Persona, 'model' | 'offline'> {
  /** Instructions that are in force: its own, or those that ship with the program. */
  readonly instructions: string
  /** Null: the site's default model. */
  readonly modelId: string | null
  readonly maxOutputTokens: number
  readonly contextTokens: number
  readonly version: number
  readonly enabled: boolean
}

/** The persona with a handle; undefined where there is none, or where it is disabled. */
export function findPersona(_db: Db, _handle: string): Promise<StoredPersona | undefined> {
  throw new Error('not there yet')
}
