import * as z from 'zod/mini'
import { displayName, emoji, storable } from './http.ts'
import { limits } from './limits.ts'
import { modelId } from './models.ts'
import { askers, persona, personaHandle } from './persona.ts'

const description = z.string().check(
  z.overwrite((value: string) => storable(value).replace(/\s+/g, ' ').trim()),
  z.maxLength(limits.descriptionMax, `has at most ${limits.descriptionMax} characters`),
)

const instructions = z.string().check(
  z.overwrite((value: string) => storable(value).trim()),
  z.minLength(1, 'must not be empty'),
  z.maxLength(limits.instructionsMax, `has at most ${limits.instructionsMax} characters`),
)

function tokens({ least, most }: { least: number; most: number }) {
  const message = `must be a whole number from ${least} to ${most}`
  return z.int(message).check(z.gte(least, message), z.lte(most, message))
}

const picture = z
  .string()
  .check(z.refine((value: string) => emoji.safeParse(value).success, 'must be one emoji'))

/** An AI participant as admins see it. */
export const adminPersona = z.extend(persona, {
  enabled: z.boolean(),
  /** Its account is banned: it neither answers nor writes. */
  banned: z.boolean(),
  /** Null: `shippedInstructions` hold, as each version of the program brings them. */
  instructions: z.nullable(z.string()),
  /** Null for one that does not come with the program. */
  shippedInstructions: z.nullable(z.string()),
  /** Null: the site's default model. */
  modelId: z.nullable(z.string()),
  maxOutputTokens: z.int(),
  contextTokens: z.int(),
  /** Rises with each change that its replies may show. */
  version: z.int(),
})
export type AdminPersona = z.infer<typeof adminPersona>

export const adminPersonaList = z.object({ personas: z.array(adminPersona) })
export const adminPersonaAnswer = z.object({ persona: adminPersona })

/** Instructions are needed, but for an agent outside, which has its own. */
export const addPersona = z.strictObject({
  handle: personaHandle,
  name: displayName,
  picture: z._default(z.nullable(picture), null),
  description: z._default(description, ''),
  instructions: z.optional(instructions),
  modelId: z._default(z.nullable(modelId), null),
  askers: z._default(askers, 'everyone'),
  external: z._default(z.boolean(), false),
  enabled: z._default(z.boolean(), true),
  maxOutputTokens: z._default(tokens(limits.personaOutputTokens), limits.personaOutputTokens.usual),
  contextTokens: z._default(tokens(limits.personaContextTokens), limits.personaContextTokens.usual),
})
export type AddPersona = z.infer<typeof addPersona>

/** What is left out stays as it is. Instructions of null are those that come with the program. */
export const changePersona = z.strictObject({
  handle: z.optional(personaHandle),
  name: z.optional(displayName),
  picture: z.optional(z.nullable(picture)),
  description: z.optional(description),
  instructions: z.optional(z.nullable(instructions)),
  modelId: z.optional(z.nullable(modelId)),
  askers: z.optional(askers),
  external: z.optional(z.boolean()),
  enabled: z.optional(z.boolean()),
  maxOutputTokens: z.optional(tokens(limits.personaOutputTokens)),
  contextTokens: z.optional(tokens(limits.personaContextTokens)),
})
export type ChangePersona = z.infer<typeof changePersona>

export const addKey = z.strictObject({ name: displayName })

/** A key by which an agent outside writes. The key itself is told once, when it is made. */
export const agentKey = z.object({
  id: z.string(),
  name: z.string(),
  /** Its first characters. */
  start: z.string(),
  createdAt: z.string(),
  /** To the hour; missing where it was never used. */
  lastUsed: z.optional(z.string()),
})
export type AgentKey = z.infer<typeof agentKey>

export const agentKeyList = z.object({ keys: z.array(agentKey) })
export const newAgentKey = z.extend(agentKey, { key: z.string() })
export type NewAgentKey = z.infer<typeof newAgentKey>

const tokenCount = { spent: z.int(), reserved: z.int() }

/** Tokens that AI replies took today, and those that are set aside for replies under way. Most first. */
export const aiUsage = z.object({
  /** The day in question, in UTC. */
  day: z.string(),
  /** What each may take in a day; null where nothing is limited. */
  allowed: z.nullable(z.object({ site: z.int(), thread: z.int(), person: z.int(), guest: z.int() })),
  site: z.object(tokenCount),
  threads: z.array(z.object({ id: z.string(), title: z.string(), ...tokenCount })),
  people: z.array(
    z.object({ id: z.string(), name: z.string(), kind: z.enum(['person', 'guest', 'ai']), ...tokenCount }),
  ),
})
export type AiUsage = z.infer<typeof aiUsage>
