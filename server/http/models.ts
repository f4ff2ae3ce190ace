import * as z from 'zod/mini'
import {
  addModel as addBody,
  changeModel as changeBody,
  modelAnswer,
  modelId,
  modelList,
  modelTest,
} from '../../shared/models.ts'
import {
  addModel,
  changeModel,
  modelsForAdmin,
  removeModel,
  testModel,
  type ModelAdminParts,
} from '../ai/model-admin.ts'
import { route, type Route } from './route.ts'

const model = modelId
const problems = ['sign-in-required', 'forbidden', 'not-found'] as const

/** Which models AI participants may have. For admins. */
export function modelRoutes(parts: ModelAdminParts): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/models',
      summary: 'All models, without their keys',
      status: 200,
      answer: modelList,
      problems: ['sign-in-required', 'forbidden'],
      limit: 'read',
      handle: async (_, c) => {
        c.header('cache-control', 'no-store')
        const asker = await c.get('identify')()
        return { models: await modelsForAdmin(parts, asker?.actor ?? null) }
      },
    }),
    route({
      method: 'post',
      path: '/api/models',
      summary: 'Adds a model. Its key is never given out again',
      body: addBody,
      status: 201,
      answer: modelAnswer,
      problems: ['sign-in-required', 'forbidden'],
      limit: 'write',
      handle: async ({ actor, body }) => ({ model: await addModel(parts, actor, body) }),
    }),
    route({
      method: 'patch',
      path: '/api/models/:model',
      summary: 'Changes a model. What is left out stays as it is',
      params: { model },
      body: changeBody,
      status: 200,
      answer: modelAnswer,
      problems,
      limit: 'write',
      handle: async ({ actor, params, body }) => ({
        model: await changeModel(parts, actor, params.model, body),
      }),
    }),
    route({
      method: 'delete',
      path: '/api/models/:model',
      summary: "Removes a model. Personas that had it get the site's default",
      params: { model },
      status: 200,
      answer: z.object({ ok: z.literal(true) }),
      problems: [...problems, 'invalid'],
      limit: 'write',
      handle: async ({ actor, params }) => {
        await removeModel(parts, actor, params.model)
        return { ok: true as const }
      },
    }),
    route({
      method: 'post',
      path: '/api/models/:model/test',
      summary: 'Asks a model for one word, and tells what came of it',
      params: { model },
      status: 200,
      answer: modelTest,
      problems,
      limit: 'write',
      handle: ({ actor, params }) => testModel(parts, actor, params.model),
    }),
  ]
}
