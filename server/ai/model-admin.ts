import { randomBytes } from 'node:crypto'
import { Problem } from '../../shared/errors.ts'
import type { AddModel, ChangeModel, ModelInfo, ModelTest } from '../../shared/models.ts'
import type { Db } from '../store/database.ts'
import { deleteModel, insertModel, listModels, updateModel, type ModelRow } from '../store/models.ts'
import { authorize, type Actor } from '../threads/access.ts'
import { modelLimits } from './limits.ts'
import { inWords } from './model-errors.ts'
import { ModelError, type Model, type ModelSettings } from './model.ts'
import type { ModelDirectory } from './models.ts'

export interface ModelAdminParts {
  readonly db: Db
  readonly models: ModelDirectory
}

/** What the environment's model is called among the others. */
const environmentId = 'environment'

/** All models, the environment's first. Throws `forbidden` unless `actor` is admin, as all of these do. */
export async function modelsForAdmin(parts: ModelAdminParts, actor: Actor | null): Promise<ModelInfo[]> {
  authorize(actor, 'manage-ai')
  const { settings } = parts.models
  const rows = await listModels(parts.db)
  const known = rows.map((row, index) => infoOf(row, settings === undefined && index === 0))
  return settings === undefined ? known : [environmentInfo(settings), ...known]
}

/** Adds a model. Problems: invalid. */
export async function addModel(
  parts: ModelAdminParts,
  actor: Actor | null,
  input: AddModel,
): Promise<ModelInfo> {
  authorize(actor, 'manage-ai')
  const id = randomBytes(9).toString('base64url')
  const row = {
    id,
    name: input.name,
    provider: input.provider,
    base_url: input.baseUrl,
    model: input.model,
    api_key: input.apiKey && parts.models.seal(id, input.apiKey),
    context_tokens: input.contextTokens,
    input_price: input.inputPrice,
    output_price: input.outputPrice,
    currency: input.currency,
  }
  check(row)
  await insertModel(parts.db, row)
  parts.models.forget()
  return await readInfo(parts, id)
}

/** Changes a model. Problems: not-found, invalid. */
export async function changeModel(
  parts: ModelAdminParts,
  actor: Actor | null,
  id: string,
  input: ChangeModel,
): Promise<ModelInfo> {
  authorize(actor, 'manage-ai')
  refuseEnvironment(id)
  const changed = await updateModel(parts.db, id, (row) => {
    const next = {
      name: input.name ?? row.name,
      provider: input.provider ?? row.provider,
      base_url: input.baseUrl === undefined ? row.base_url : input.baseUrl,
      model: input.model ?? row.model,
      api_key: input.apiKey === undefined ? row.api_key : input.apiKey && parts.models.seal(id, input.apiKey),
      context_tokens: input.contextTokens ?? row.context_tokens,
      input_price: input.inputPrice === undefined ? row.input_price : input.inputPrice,
      output_price: input.outputPrice === undefined ? row.output_price : input.outputPrice,
      currency: input.currency ?? row.currency,
    }
    check(next)
    // A key that was entered once is shown to nobody again, so not to another server either.
    const moved = next.provider !== row.provider || originOf(next.base_url) !== originOf(row.base_url)
    if (moved && row.api_key !== null && input.apiKey === undefined) {
      throw invalid('/apiKey', 'has to be entered again when the model moves to another server')
    }
    return next
  })
  if (changed === undefined) throw new Problem('not-found')
  parts.models.forget()
  return await readInfo(parts, id)
}

/** Removes a model; personas that had it get the site's default. Problems: not-found, invalid. */
export async function removeModel(parts: ModelAdminParts, actor: Actor | null, id: string): Promise<void> {
  authorize(actor, 'manage-ai')
  refuseEnvironment(id)
  if (!(await deleteModel(parts.db, id))) throw new Problem('not-found')
  parts.models.forget()
}

/** Asks a model for one word, as runs would ask it. Problems: not-found. */
export async function testModel(parts: ModelAdminParts, actor: Actor | null, id: string): Promise<ModelTest> {
  authorize(actor, 'manage-ai')
  const isKnown =
    id === environmentId ? parts.models.settings !== undefined : (await findRow(parts, id)) !== undefined
  if (!isKnown) throw new Problem('not-found')
  const model = await parts.models.find(id === environmentId ? null : id)
  const started = performance.now()
  const outcome = await tryModel(model)
  return { ...outcome, ms: Math.round(performance.now() - started) }
}

async function tryModel(model: Model): Promise<Omit<ModelTest, 'ms'>> {
  const late = new AbortController()
  const timer = setTimeout(
    () =>
      late.abort(
        new ModelError('stalled', `The model did not answer within ${inWords(modelLimits.testMs)}.`),
      ),
    modelLimits.testMs,
  )
  const request = 'Reply with the one word "ready".'
  let text = ''
  try {
    const parts = model.generate({
      messages: [{ role: 'user', content: request }],
      pieces: [],
      persona: { handle: 'test', name: 'Test' },
      request,
      maxOutputTokens: modelLimits.testTokens,
      signal: late.signal,
    })
    for await (const part of parts) if (part.type === 'text') text += part.text
    return { ok: true, text: text.slice(0, modelLimits.detailMax) }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    return { ok: false, problem: [error.message, error.detail].filter(Boolean).join(' ') }
  } finally {
    clearTimeout(timer)
  }
}

function check(row: Pick<ModelRow, 'provider' | 'base_url' | 'input_price' | 'output_price'>): void {
  if (row.provider === 'openai-compatible' && row.base_url === null) {
    throw invalid('/baseUrl', 'is needed, such as http://localhost:11434/v1')
  }
  if ((row.input_price === null) !== (row.output_price === null)) {
    throw invalid('/inputPrice', 'both prices have to be given, or none')
  }
}

function invalid(path: string, message: string): Problem {
  return new Problem('invalid', { detail: `${path}: ${message}`, issues: [{ path, message }] })
}

function refuseEnvironment(id: string): void {
  if (id !== environmentId) return
  throw new Problem('invalid', {
    detail: 'This model is set by the environment of the server, and changed there.',
  })
}

const originOf = (url: string | null): string | null => (url === null ? null : new URL(url).origin)

async function findRow({ db }: ModelAdminParts, id: string): Promise<ModelRow | undefined> {
  return (await listModels(db)).find((row) => row.id === id)
}

async function readInfo(parts: ModelAdminParts, id: string): Promise<ModelInfo> {
  const rows = await listModels(parts.db)
  const row = rows.find((each) => each.id === id)
  if (row === undefined) throw new Problem('not-found')
  return infoOf(row, parts.models.settings === undefined && rows[0] === row)
}

function infoOf(row: ModelRow, isDefault: boolean): ModelInfo {
  return {
    id: row.id,
    name: row.name,
    provider: row.provider,
    baseUrl: row.base_url,
    model: row.model,
    hasKey: row.api_key !== null,
    contextTokens: row.context_tokens,
    inputPrice: row.input_price,
    outputPrice: row.output_price,
    currency: row.currency,
    source: 'database',
    isDefault,
  }
}

function environmentInfo({
  name,
  provider,
  baseUrl,
  model,
  apiKey,
  contextTokens,
  price,
}: ModelSettings): ModelInfo {
  return {
    id: environmentId,
    name,
    provider,
    baseUrl,
    model,
    hasKey: apiKey !== undefined,
    contextTokens,
    inputPrice: price?.input ?? null,
    outputPrice: price?.output ?? null,
    currency: price?.currency ?? 'USD',
    source: 'environment',
    isDefault: true,
  }
}
