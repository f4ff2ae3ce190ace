import type { AddModel, ChangeModel, ModelInfo, ModelTest } from '../../../shared/models.ts'
import type {
  AdminPersona,
  AgentKey,
  AiUsage,
  ChangePersona,
  NewAgentKey,
} from '../../../shared/persona-admin.ts'
import type { AddSite, AddSiteKey, ChangeSite, NewSiteKey, Site } from '../../../shared/site.ts'
import type { Api } from '../../api.ts'

/** What fields say before the server gives what is left out its usual value. */
export type NewPersona = Omit<ChangePersona, 'instructions'> & { instructions?: string | undefined }

export type AdminApi = ReturnType<typeof createAdminApi>

/** What admins do, over the same interface. Every call throws a `Problem`. */
export function createAdminApi({ request }: Pick<Api, 'request'>) {
  const persona = (handle: string) => `/api/personas/${handle}`
  const model = (id: string) => `/api/models/${id}`
  const site = (id: string) => `/api/sites/${id}`
  return {
    personas: () =>
      request<{ personas: AdminPersona[] }>('GET', '/api/personas/all').then(({ personas }) => personas),
    addPersona: (input: NewPersona) => request<object>('POST', '/api/personas', input),
    changePersona: (handle: string, input: ChangePersona) => request<object>('PATCH', persona(handle), input),
    keys: (handle: string) =>
      request<{ keys: AgentKey[] }>('GET', `${persona(handle)}/keys`).then(({ keys }) => keys),
    addKey: (handle: string, name: string) =>
      request<NewAgentKey>('POST', `${persona(handle)}/key`, { name }),
    revokeKey: (handle: string, key: string) => request<object>('DELETE', `${persona(handle)}/keys/${key}`),
    models: () => request<{ models: ModelInfo[] }>('GET', '/api/models').then(({ models }) => models),
    addModel: (input: AddModel) => request<object>('POST', '/api/models', input),
    changeModel: (id: string, input: ChangeModel) => request<object>('PATCH', model(id), input),
    deleteModel: (id: string) => request<object>('DELETE', model(id)),
    testModel: (id: string) => request<ModelTest>('POST', `${model(id)}/test`),
    sites: () => request<{ sites: Site[] }>('GET', '/api/sites').then(({ sites }) => sites),
    addSite: (input: AddSite) => request<object>('POST', '/api/sites', input),
    changeSite: (id: string, input: ChangeSite) => request<object>('PATCH', site(id), input),
    deleteSite: (id: string) => request<object>('DELETE', site(id)),
    addSiteKey: (id: string, input: AddSiteKey) => request<NewSiteKey>('POST', `${site(id)}/keys`, input),
    revokeSiteKey: (id: string, key: string) => request<object>('DELETE', `${site(id)}/keys/${key}`),
    usage: () => request<AiUsage>('GET', '/api/ai/usage'),
  }
}
