import type { Logger } from 'pino'
import type { Db } from '../store/database.ts'
import { listModels, type ModelRow } from '../store/models.ts'
import { modelLimits } from './limits.ts'
import { ModelError, type Model, type ModelSettings } from './model.ts'
import { openKey, sealKey } from './model-secrets.ts'
import { createModel } from './providers.ts'

/** The site's models. */
export interface Models {
  /**
   * The model with an id of the `models` table, or with null the default: the one that the environment names, else the
   * oldest of the table, else the offline one. An id that is gone gives the default.
   */
  find(id: string | null): Promise<Model>
}

/** The same, for who changes the table as well. */
export interface ModelDirectory extends Models {
  /** The model that the environment names. */
  readonly settings: ModelSettings | undefined
  /** A key as the table holds it, for the model with that id alone. */
  seal(id: string, apiKey: string): string
  /** Reads the table again at the next `find`. Other nodes do so within `modelLimits.cacheMs`. */
  forget(): void
}

export interface ModelsParts {
  readonly db: Db
  /** The model that the environment names. */
  readonly settings: ModelSettings | undefined
  /** The site's secret, by which keys are encrypted. */
  readonly secret: string
  readonly offline: Model
  readonly log: Logger
}

export function createModels(parts: ModelsParts): ModelDirectory {
  const { db, settings, secret, offline } = parts
  const fromEnvironment = settings && createModel(settings)
  // Models outlive a reading of the table as long as their rows are the same: they learn about their servers.
  let models = new Map<string, { made: string; model: Model }>()
  let reading: Promise<void> | undefined
  let readAt = -Infinity

  async function read(): Promise<typeof models> {
    const next: typeof models = new Map()
    for (const row of await listModels(db)) {
      const made = JSON.stringify(row)
      const known = models.get(row.id)
      next.set(row.id, known?.made === made ? known : { made, model: modelOf(parts, row) })
    }
    return next
  }

  /** What many ask for at once is read once. A reading that was overtaken by `forget` leaves nothing behind. */
  function refresh(): Promise<void> {
    if (performance.now() - readAt < modelLimits.cacheMs) return Promise.resolve()
    if (reading !== undefined) return reading
    const started = performance.now()
    const mine = read().then((next) => {
      if (reading !== mine) return
      models = next
      readAt = started
    })
    const settled = () => {
      if (reading === mine) reading = undefined
    }
    mine.then(settled, settled)
    return (reading = mine)
  }

  return {
    settings,
    seal: (id, apiKey) => sealKey(secret, id, apiKey),
    async find(id) {
      if (id === null && fromEnvironment) return fromEnvironment
      await refresh()
      const own = id === null ? undefined : models.get(id)?.model
      return own ?? fromEnvironment ?? models.values().next().value?.model ?? offline
    },
    forget() {
      readAt = -Infinity
      reading = undefined
    },
  }
}

function modelOf({ secret, log }: ModelsParts, row: ModelRow): Model {
  const { input_price: input, output_price: output, currency } = row
  const apiKey = row.api_key === null ? undefined : openKey(secret, row.id, row.api_key)
  const model = createModel({
    name: row.name,
    provider: row.provider,
    baseUrl: row.base_url,
    model: row.model,
    apiKey,
    contextTokens: row.context_tokens,
    price: input !== null && output !== null ? { input, output, currency } : undefined,
  })
  if (row.api_key === null || apiKey !== undefined) return model
  log.warn({ model: row.id }, "a model's key cannot be read: AUTH_SECRET was changed since it was entered")
  return {
    ...model,
    // oxlint-disable-next-line require-yield -- it fails before it has anything to say
    async *generate() {
      throw new ModelError(
        'auth',
        "The model's key cannot be read any more, since the site's secret was changed. An admin has to enter it again.",
      )
    },
  }
}
