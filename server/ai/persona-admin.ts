import { randomBytes } from 'node:crypto'
import { Problem } from '../../shared/errors.ts'
import type {
  AddPersona,
  AdminPersona,
  AgentKey,
  ChangePersona,
  NewAgentKey,
} from '../../shared/persona-admin.ts'
import { createAgentKey, listAgentKeys, revokeAgentKey } from '../accounts/agent-keys.ts'
import { publishAccountChange } from '../accounts/changes.ts'
import type { Bus } from '../bus/bus.ts'
import { sqlState, type Db } from '../store/database.ts'
import { listModels } from '../store/models.ts'
import {
  insertPersona,
  readPersona,
  readPersonas,
  updatePersona,
  type PersonaChange,
  type PersonaRow,
} from '../store/personas.ts'
import { authorize, type Actor } from '../threads/access.ts'
import type { Models } from './models.ts'
import { shippedAs, toWire } from './personas.ts'

export interface PersonaAdminParts {
  readonly db: Db
  readonly bus: Bus
  readonly models: Models
}

// Personas are never deleted, only disabled: their posts stay, and stay theirs.

/** All personas, disabled ones too. Throws `forbidden` unless `actor` is admin, as all of these do. */
export async function personasForAdmin(
  parts: PersonaAdminParts,
  actor: Actor | null,
): Promise<AdminPersona[]> {
  authorize(actor, 'manage-ai')
  return await Promise.all((await readPersonas(parts.db)).map((row) => toAdmin(parts, row)))
}

/** Adds a persona. Problems: handle-taken, invalid. */
export async function createPersona(
  parts: PersonaAdminParts,
  actor: Actor | null,
  input: AddPersona,
): Promise<AdminPersona> {
  authorize(actor, 'manage-ai')
  if (input.instructions === undefined && !input.external) throw instructionsNeeded()
  await checkModel(parts, input.modelId)
  const created = await insertPersona(parts.db, {
    user_id: `persona-${randomBytes(9).toString('base64url')}`,
    handle: input.handle,
    name: composed(input.name),
    image: input.picture,
    description: input.description,
    instructions: input.instructions ?? '',
    model_id: input.modelId,
    askers: input.askers,
    external: input.external,
    enabled: input.enabled,
    max_output_tokens: input.maxOutputTokens,
    context_tokens: input.contextTokens,
  })
  if (!created) throw handleTaken(input.handle)
  return await toAdmin(parts, (await readPersona(parts.db, input.handle))!)
}

/** Changes a persona. Problems: persona-not-found, handle-taken, invalid. */
export async function changePersona(
  parts: PersonaAdminParts,
  actor: Actor | null,
  handle: string,
  input: ChangePersona,
): Promise<AdminPersona> {
  authorize(actor, 'manage-ai')
  await checkModel(parts, input.modelId ?? null)
  const changed = await updatePersona(parts.db, handle, (row) => changeOf(row, input)).catch(
    (error: unknown) => {
      throw sqlState(error) === '23505' ? handleTaken(input.handle!) : error
    },
  )
  if (changed === undefined) throw new Problem('persona-not-found')
  const { before, after } = changed
  // Its keys open nothing any more, or do so again.
  if (before.enabled !== after.enabled || before.external !== after.external) {
    await publishAccountChange(parts.bus, { userId: after.user_id })
  }
  return await toAdmin(parts, after)
}

function changeOf(row: PersonaRow, input: ChangePersona): PersonaChange {
  const next = {
    handle: input.handle ?? row.handle,
    name: input.name === undefined ? row.name : composed(input.name),
    image: input.picture === undefined ? row.image : input.picture,
    description: input.description ?? row.description,
    instructions: input.instructions === undefined ? row.instructions : input.instructions,
    model_id: input.modelId === undefined ? row.model_id : input.modelId,
    askers: input.askers ?? row.askers,
    external: input.external ?? row.external,
    enabled: input.enabled ?? row.enabled,
    max_output_tokens: input.maxOutputTokens ?? row.max_output_tokens,
    context_tokens: input.contextTokens ?? row.context_tokens,
  }
  const hasInstructions = Boolean(next.instructions) || shippedAs(row.user_id) !== undefined
  if (!next.external && !hasInstructions) throw instructionsNeeded()
  const touched = inReplies.some((field) => next[field] !== row[field])
  return { ...next, version: touched ? row.version + 1 : row.version }
}

/** What may show in the replies. */
const inReplies = [
  'handle',
  'name',
  'instructions',
  'model_id',
  'max_output_tokens',
  'context_tokens',
] as const

/** As the names of accounts are stored. */
const composed = (name: string) => name.normalize('NFC')

async function checkModel({ db }: PersonaAdminParts, id: string | null): Promise<void> {
  if (id === null || (await listModels(db)).some((model) => model.id === id)) return
  throw invalid('/modelId', 'there is no such model')
}

function instructionsNeeded(): Problem {
  return invalid('/instructions', 'are needed, but for an agent that runs elsewhere')
}

function handleTaken(handle: string): Problem {
  const message = `@${handle} is taken by another AI participant`
  return new Problem('handle-taken', { detail: message, issues: [{ path: '/handle', message }] })
}

function invalid(path: string, message: string): Problem {
  return new Problem('invalid', { detail: `${path}: ${message}`, issues: [{ path, message }] })
}

/** Makes a key by which an agent outside writes as a persona. Problems: persona-not-found, invalid. */
export async function addAgentKey(
  { db }: PersonaAdminParts,
  actor: Actor | null,
  handle: string,
  name: string,
): Promise<NewAgentKey> {
  const persona = await authorizedAt(db, actor, handle)
  if (!persona.external) {
    throw new Problem('invalid', {
      detail: `@${handle} is answered for here. Only agents that run elsewhere have keys.`,
    })
  }
  return await createAgentKey(db, persona.user_id, name)
}

/** Problems: persona-not-found. */
export async function agentKeys(
  { db }: PersonaAdminParts,
  actor: Actor | null,
  handle: string,
): Promise<AgentKey[]> {
  return await listAgentKeys(db, (await authorizedAt(db, actor, handle)).user_id)
}

/** Revokes a key, on every node. Problems: persona-not-found, not-found. */
export async function removeAgentKey(
  parts: PersonaAdminParts,
  actor: Actor | null,
  handle: string,
  key: string,
): Promise<void> {
  const { user_id: id } = await authorizedAt(parts.db, actor, handle)
  if (!(await revokeAgentKey(parts, id, key))) throw new Problem('not-found')
}

async function authorizedAt(db: Db, actor: Actor | null, handle: string): Promise<PersonaRow> {
  authorize(actor, 'manage-ai')
  const row = await readPersona(db, handle)
  if (row === undefined) throw new Problem('persona-not-found')
  return row
}

async function toAdmin(parts: PersonaAdminParts, row: PersonaRow): Promise<AdminPersona> {
  return {
    ...(await toWire(parts, row)),
    enabled: row.enabled,
    banned: row.banned,
    instructions: row.instructions,
    shippedInstructions: shippedAs(row.user_id)?.instructions ?? null,
    modelId: row.model_id,
    maxOutputTokens: row.max_output_tokens,
    contextTokens: row.context_tokens,
    version: row.version,
  }
}
