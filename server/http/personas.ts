import * as z from 'zod/mini'
import {
  addKey,
  addPersona,
  adminPersonaAnswer,
  adminPersonaList,
  agentKeyList,
  changePersona as changeBody,
  newAgentKey,
} from '../../shared/persona-admin.ts'
import { personaHandle, personaList } from '../../shared/persona.ts'
import {
  addAgentKey,
  agentKeys,
  changePersona,
  createPersona,
  personasForAdmin,
  removeAgentKey,
  type PersonaAdminParts,
} from '../ai/persona-admin.ts'
import { listPersonas } from '../ai/personas.ts'
import { adminAsking, noStore } from './admin.ts'
import { route, type Route } from './route.ts'

const params = { handle: personaHandle }
const problems = ['sign-in-required', 'forbidden'] as const
const placeProblems = [...problems, 'not-found', 'persona-not-found'] as const

/** AI participants: who there is, and what admins do about them. */
export function personaRoutes(parts: PersonaAdminParts): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/personas',
      summary: 'AI participants that can be asked here, or that write from elsewhere',
      status: 200,
      answer: personaList,
      problems: [],
      limit: 'read',
      handle: async (_, c) => {
        // The same for everyone, and asked for on each page of a thread.
        c.header('cache-control', 'public, max-age=5')
        return { personas: await listPersonas(parts) }
      },
    }),
    route({
      method: 'get',
      path: '/api/personas/all',
      summary: 'All AI participants, disabled ones too, with what they are told',
      status: 200,
      answer: adminPersonaList,
      problems,
      limit: 'read',
      handle: async (_, c) => {
        noStore(c)
        return { personas: await personasForAdmin(parts, await adminAsking(c)) }
      },
    }),
    route({
      method: 'post',
      path: '/api/personas',
      summary: 'Adds an AI participant',
      body: addPersona,
      status: 201,
      answer: adminPersonaAnswer,
      problems: [...problems, 'handle-taken'],
      limit: 'write',
      handle: async ({ actor, body }) => ({ persona: await createPersona(parts, actor, body) }),
    }),
    route({
      method: 'patch',
      path: '/api/personas/:handle',
      summary: 'Changes an AI participant. What is left out stays as it is',
      params,
      body: changeBody,
      status: 200,
      answer: adminPersonaAnswer,
      problems: [...placeProblems, 'handle-taken'],
      limit: 'write',
      handle: async ({ actor, params: { handle }, body }) => ({
        persona: await changePersona(parts, actor, handle, body),
      }),
    }),
    route({
      method: 'post',
      path: '/api/personas/:handle/key',
      summary: 'Makes a key by which an agent outside writes as this AI participant. It is told once',
      params,
      body: addKey,
      status: 201,
      answer: newAgentKey,
      problems: [...placeProblems, 'invalid'],
      limit: 'write',
      handle: ({ actor, params: { handle }, body }, c) => {
        noStore(c)
        return addAgentKey(parts, actor, handle, body.name)
      },
    }),
    route({
      method: 'get',
      path: '/api/personas/:handle/keys',
      summary: 'The keys of an agent outside, without the keys themselves',
      params,
      status: 200,
      answer: agentKeyList,
      problems: placeProblems,
      limit: 'read',
      handle: async ({ params: { handle } }, c) => {
        noStore(c)
        return { keys: await agentKeys(parts, await adminAsking(c), handle) }
      },
    }),
    route({
      method: 'delete',
      path: '/api/personas/:handle/keys/:key',
      summary: 'Revokes a key at once',
      params: { ...params, key: z.string().check(z.regex(/^[\w-]{1,64}$/)) },
      status: 200,
      answer: z.object({ ok: z.literal(true) }),
      problems: placeProblems,
      limit: 'write',
      handle: async ({ actor, params: { handle, key } }) => {
        await removeAgentKey(parts, actor, handle, key)
        return { ok: true as const }
      },
    }),
  ]
}
