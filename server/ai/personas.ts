import type { Persona } from '../../shared/persona.ts'
import type { Db } from '../store/database.ts'
import {
  insertPersona,
  readPersona,
  readPersonaById,
  readPersonas,
  type PersonaRow,
} from '../store/personas.ts'
import type { Models } from './models.ts'
import { shippedPersonas, type ShippedPersona } from './shipped.ts'

/** A persona as the server knows it. */
export interface StoredPersona extends Omit<Persona, 'model' | 'offline'> {
  /** Instructions that are in force: its own, or those that ship with the program. */
  readonly instructions: string
  /** Null: the site's default model. */
  readonly modelId: string | null
  readonly maxOutputTokens: number
  readonly contextTokens: number
  readonly version: number
  /** False also while its account is banned. */
  readonly enabled: boolean
  /** The handle that it ships under, whatever it is called here; null for one that does not ship with the program. */
  readonly shipped: string | null
}

/** The account of a shipped persona has this id for good. */
const idOf = (shippedHandle: string) => `persona-${shippedHandle}`

/** What the program brings for a persona. */
export function shippedAs(userId: string): ShippedPersona | undefined {
  return shippedPersonas.find(({ handle }) => idOf(handle) === userId)
}

/** Makes the shipped personas that are not there yet. What admins made of the others stays. */
export async function ensureShippedPersonas(db: Db): Promise<void> {
  for (const [position, shipped] of shippedPersonas.entries()) {
    const { handle, name, picture, description, askers, maxOutputTokens, contextTokens } = shipped
    await insertPersona(db, {
      user_id: idOf(handle),
      handle,
      name,
      image: picture,
      description,
      instructions: null,
      model_id: null,
      askers,
      max_output_tokens: maxOutputTokens,
      context_tokens: contextTokens,
      position,
    })
  }
}

/** The persona with a handle; undefined where there is none, or where it is disabled or banned. */
export async function findPersona(db: Db, handle: string): Promise<StoredPersona | undefined> {
  const row = await readPersona(db, handle)
  return row && isOn(row) ? fromRow(row) : undefined
}

/** The persona that an account belongs to, disabled or not. */
export async function findPersonaById(db: Db, userId: string): Promise<StoredPersona | undefined> {
  const row = await readPersonaById(db, userId)
  return row && fromRow(row)
}

/** Those that readers see, in their order. */
export async function listPersonas(parts: { db: Db; models: Models }): Promise<Persona[]> {
  const rows = (await readPersonas(parts.db)).filter(isOn)
  return await Promise.all(rows.map((row) => toWire(parts, row)))
}

/** A persona as readers see it, with the name of what answers for it. */
export async function toWire({ models }: { models: Models }, row: PersonaRow): Promise<Persona> {
  const model = row.external ? undefined : await models.find(row.model_id)
  return { ...describe(row), model: model?.name ?? '', offline: model?.offline ?? false }
}

const isOn = ({ enabled, banned }: PersonaRow) => enabled && !banned

function fromRow(row: PersonaRow): StoredPersona {
  const shipped = shippedAs(row.user_id)
  return {
    ...describe(row),
    instructions: row.instructions ?? shipped?.instructions ?? '',
    modelId: row.model_id,
    maxOutputTokens: row.max_output_tokens,
    contextTokens: row.context_tokens,
    version: row.version,
    enabled: isOn(row),
    shipped: shipped?.handle ?? null,
  }
}

function describe({ user_id: id, handle, name, description, image, askers, external }: PersonaRow) {
  return { id, handle, name, description, ...(image !== null && { picture: image }), askers, external }
}
