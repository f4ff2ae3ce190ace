import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { modelLimits } from '../../server/ai/limits.ts'
import { ModelError, type Model, type ModelSettings } from '../../server/ai/model.ts'
import { createModels, type ModelDirectory } from '../../server/ai/models.ts'
import { deleteModel, insertModel, updateModel } from '../../server/store/models.ts'
import { describeStores } from '../helpers/store.ts'

const secret = 'the secret of this site, of some length'
const offline: Model = {
  name: 'Offline',
  offline: true,
  contextTokens: 1,
  generate: () => {
    throw new Error('not to be asked')
  },
}
const environment: ModelSettings = {
  name: 'from the environment',
  provider: 'openai-compatible',
  baseUrl: 'http://127.0.0.1:1/v1',
  model: 'small',
  apiKey: 'key',
  contextTokens: 8_192,
  price: { input: 1, output: 2, currency: 'EUR' },
}
const row = (id: string, minute: number) => ({
  id,
  name: `name of ${id}`,
  provider: 'openai-compatible' as const,
  base_url: 'http://127.0.0.1:1/v1',
  model: 'small',
  api_key: null,
  context_tokens: 4_096,
  input_price: 0.5,
  output_price: 1.5,
  currency: 'USD',
  created_at: new Date(Date.UTC(2026, 0, 1, 0, minute)),
})

async function ask(models: ModelDirectory, id: string): Promise<unknown> {
  const model = await models.find(id)
  const parts = model.generate({
    messages: [{ role: 'user', content: 'x' }],
    pieces: [],
    persona: { handle: 'explain', name: 'Explain' },
    request: null,
    maxOutputTokens: 10,
    signal: AbortSignal.timeout(5_000),
  })
  try {
    for await (const _ of parts);
  } catch (error) {
    return error
  }
}

describeStores('the site’s models', (store) => {
  const open = (settings?: ModelSettings, log = pino({ level: 'silent' })) =>
    createModels({ db: store.db, settings, secret, offline, log })
  const nameOf = async (models: ModelDirectory, id: string | null) => (await models.find(id)).name

  async function fill(): Promise<void> {
    await store.db.deleteFrom('models').execute()
    // The second is the older one, and the later one by its id.
    await insertModel(store.db, row('newer', 2))
    await insertModel(store.db, row('older', 1))
  }

  test('the default is that of the environment, else the oldest, else the offline one', async () => {
    await store.db.deleteFrom('models').execute()
    expect(await open().find(null)).toBe(offline)
    expect(await open().find('gone')).toBe(offline)
    await fill()
    expect(await nameOf(open(), null)).toBe('name of older')
    expect(await nameOf(open(environment), null)).toBe('from the environment')
    // One that is named is found in any case, and one that is gone is the default.
    for (const models of [open(), open(environment)])
      expect(await nameOf(models, 'newer')).toBe('name of newer')
    expect(await nameOf(open(), 'gone')).toBe('name of older')
    expect(await nameOf(open(environment), 'gone')).toBe('from the environment')
  })

  test('tells what there is to know of each', async () => {
    await fill()
    const { name, offline: isOffline, contextTokens, price } = await open().find('older')
    expect({ name, isOffline, contextTokens, price }).toEqual({
      name: 'name of older',
      isOffline: false,
      contextTokens: 4_096,
      price: { input: 0.5, output: 1.5, currency: 'USD' },
    })
    await updateModel(store.db, 'newer', () => ({ input_price: null, output_price: null }))
    expect((await open().find('newer')).price).toBeUndefined()
    expect(await open(environment).find(null)).toMatchObject({
      price: environment.price,
      contextTokens: 8_192,
    })
  })

  test('a change is seen at once where it was made, and within seconds elsewhere', async () => {
    await fill()
    const [here, there] = [open(), open()]
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const [a, b] = await Promise.all([here.find('older'), here.find('newer')])
    await there.find('older')
    await updateModel(store.db, 'older', () => ({ name: 'renamed' }))
    here.forget()
    expect(await nameOf(here, 'older')).toBe('renamed')
    expect(await nameOf(there, 'older')).toBe('name of older')
    now += modelLimits.cacheMs
    expect(await nameOf(there, 'older')).toBe('renamed')
    // Those that did not change stay what they are, with what they learnt of their servers.
    expect(await here.find('newer')).toBe(b)
    expect(await here.find('older')).not.toBe(a)
    await deleteModel(store.db, 'older')
    here.forget()
    expect(await here.find('older')).toBe(b)
  })

  test('many who ask at once read the table once', async () => {
    await fill()
    const models = open()
    const select = vi.spyOn(store.db, 'selectFrom')
    await Promise.all(Array.from({ length: 50 }, () => models.find('older')))
    expect(select).toHaveBeenCalledTimes(1)
  })

  test('a database that is away is asked again', async () => {
    await fill()
    const models = open()
    const select = vi.spyOn(store.db, 'selectFrom').mockImplementation(() => {
      throw new Error('away')
    })
    await expect(models.find('older')).rejects.toThrow('away')
    select.mockRestore()
    expect(await nameOf(models, 'older')).toBe('name of older')
  })

  test('a key that cannot be read is told of when it is needed', async () => {
    await fill()
    const sealed = createModels({
      db: store.db,
      settings: undefined,
      secret: 'what it was before, of some length too',
      offline,
      log: pino({ level: 'silent' }),
    }).seal('older', 'sk-old')
    await updateModel(store.db, 'older', () => ({ api_key: sealed }))
    const lines: string[] = []
    const models = open(undefined, pino({}, { write: (line) => void lines.push(line) }))
    expect(await nameOf(models, 'older')).toBe('name of older')
    const error = await ask(models, 'older')
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({
      fault: 'auth',
      message:
        "The model's key cannot be read any more, since the site's secret was changed. An admin has to enter it again.",
    })
    // It is no model that lacks a key: that one is asked without.
    expect(await ask(models, 'newer')).toMatchObject({ fault: 'unreachable' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain(sealed)
    await updateModel(store.db, 'older', () => ({ api_key: models.seal('older', 'sk-new') }))
    models.forget()
    expect(await ask(models, 'older')).toMatchObject({ fault: 'unreachable' })
  })
})

describe('without the table', () => {
  test('the model of the environment is found without a query', async () => {
    const db = {} as never
    const models = createModels({
      db,
      settings: environment,
      secret,
      offline,
      log: pino({ level: 'silent' }),
    })
    expect((await models.find(null)).name).toBe('from the environment')
  })
})
