import * as z from 'zod/mini'
import { limits } from './limits.ts'

/** What stands behind the `@` by which a persona is asked. */
export const personaHandle = z
  .string()
  .check(
    z.regex(
      /^[a-z][a-z0-9-]*[a-z0-9]$/,
      'must be small letters, digits and hyphens, at least two, with a letter first and no hyphen last',
    ),
    z.maxLength(limits.handleMax, `has at most ${limits.handleMax} characters`),
  )

/** Who may ask a persona: everyone who has at least a name, people with an account, moderators and admins. */
export const askers = z.enum(['everyone', 'members', 'moderators'])
export type Askers = z.infer<typeof askers>

/** An AI participant, as readers see it. `id` is that of its posts' author. */
export const persona = z.object({
  id: z.string(),
  handle: personaHandle,
  name: z.string(),
  description: z.string(),
  /** One emoji, shown in the place of initials. */
  picture: z.optional(z.string()),
  /** What answers for it, in words: the model's name. Empty for an agent outside. */
  model: z.string(),
  /** No language model stands behind it: it only picks sentences from what it reads. */
  offline: z.boolean(),
  askers,
  /** It is run elsewhere, by who has its key, and cannot be asked here. */
  external: z.boolean(),
})
export type Persona = z.infer<typeof persona>

export const personaList = z.object({ personas: z.array(persona) })
export type PersonaList = z.infer<typeof personaList>
