import { beforeEach, expect, test } from 'vitest'
import type { Model } from '../../server/ai/model.ts'
import {
  changePersona,
  createPersona,
  personasForAdmin,
  type PersonaAdminParts,
} from '../../server/ai/persona-admin.ts'
import {
  ensureShippedPersonas,
  findPersona,
  findPersonaById,
  listPersonas,
} from '../../server/ai/personas.ts'
import { shippedPersonas } from '../../server/ai/shipped.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { readUsage } from '../../server/store/ai-usage.ts'
import { insertModel } from '../../server/store/models.ts'
import type { Actor } from '../../server/threads/access.ts'
import { Problem } from '../../shared/errors.ts'
import { addPersona, type AddPersona } from '../../shared/persona-admin.ts'
import { addPost, addThread, addUser, describeStores } from '../helpers/store.ts'

const handles = shippedPersonas.map(({ handle }) => handle)

function refusalOf(done: Promise<unknown>): Promise<string> {
  return done.then(
    () => 'done',
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error
      return [error.code, ...(error.issues ?? []).map(({ path }) => path)].join(' ')
    },
  )
}

describeStores('personas', (store) => {
  let parts: PersonaAdminParts
  let admin: Actor
  /** Model ids that were asked for. */
  let asked: (string | null)[]

  beforeEach(async () => {
    asked = []
    const models = {
      find(id: string | null) {
        asked.push(id)
        return Promise.resolve({ name: id ?? 'Usual', offline: id === null } as Model)
      },
    }
    await store.db.deleteFrom('models').execute()
    parts = { db: store.db, bus: createMemoryBus(), models }
    admin = await addUser(store.db, 'root', { role: 'admin' })
    await ensureShippedPersonas(store.db)
  })

  const input = (more: Partial<AddPersona> = {}): AddPersona =>
    addPersona.parse({ handle: 'sum-up', name: 'Sum up', instructions: 'Be brief.', ...more })

  test('the shipped ones are there, with accounts of their own', async () => {
    const list = await listPersonas(parts)
    expect(list.map(({ handle }) => handle)).toEqual(handles)
    expect(list[0]).toEqual({
      id: `persona-${handles[0]}`,
      handle: handles[0],
      name: shippedPersonas[0]!.name,
      description: shippedPersonas[0]!.description,
      picture: shippedPersonas[0]!.picture,
      askers: 'everyone',
      external: false,
      model: 'Usual',
      offline: true,
    })
    const users = await store.db.selectFrom('users').selectAll().where('kind', '=', 'ai').execute()
    expect(users.map(({ role }) => role)).toEqual(handles.map(() => 'member'))
    expect(users.map(({ email }) => email).toSorted()).toEqual(
      handles.map((handle) => `${handle}@personas.invalid`).toSorted(),
    )
    const found = await findPersona(store.db, handles[0]!)
    expect(found).toMatchObject({
      instructions: shippedPersonas[0]!.instructions,
      maxOutputTokens: shippedPersonas[0]!.maxOutputTokens,
      contextTokens: shippedPersonas[0]!.contextTokens,
      modelId: null,
      version: 1,
      enabled: true,
      shipped: handles[0],
    })
    expect(await findPersonaById(store.db, found!.id)).toEqual(found)
    expect(await findPersona(store.db, 'nobody')).toBeUndefined()
    expect(await findPersonaById(store.db, 'root')).toBeUndefined()
  })

  test('another start, even of two nodes at once, brings back nothing that admins changed', async () => {
    const [first, second] = handles as [string, string]
    await changePersona(parts, admin, first, { enabled: false, instructions: 'Mine.', name: 'Mine' })
    await changePersona(parts, admin, second, { handle: 'renamed' })
    // Whoever takes the handle of a shipped one keeps it.
    await createPersona(parts, admin, input({ handle: second }))
    const before = await personasForAdmin(parts, admin)
    await Promise.all([ensureShippedPersonas(store.db), ensureShippedPersonas(store.db)])
    expect(await personasForAdmin(parts, admin)).toEqual(before)
    expect(before.find(({ handle }) => handle === first)).toMatchObject({
      enabled: false,
      instructions: 'Mine.',
      name: 'Mine',
    })
    // A shipped one keeps what it ships with under another name.
    const renamed = await findPersona(store.db, 'renamed')
    expect(renamed).toMatchObject({
      id: `persona-${second}`,
      shipped: second,
      instructions: shippedPersonas[1]!.instructions,
    })
    expect(await findPersona(store.db, second)).toMatchObject({ shipped: null, instructions: 'Be brief.' })
  })

  test('one that is disabled or banned answers nobody, and is still there', async () => {
    const [first, second] = handles as [string, string]
    await changePersona(parts, admin, first, { enabled: false })
    await store.db.updateTable('users').set({ banned: true }).where('id', '=', `persona-${second}`).execute()
    expect(await findPersona(store.db, first)).toBeUndefined()
    expect(await findPersona(store.db, second)).toBeUndefined()
    expect((await findPersonaById(store.db, `persona-${first}`))?.enabled).toBe(false)
    expect((await findPersonaById(store.db, `persona-${second}`))?.enabled).toBe(false)
    expect((await listPersonas(parts)).map(({ handle }) => handle)).toEqual(handles.slice(2))
    const all = await personasForAdmin(parts, admin)
    expect(all.map(({ handle, enabled, banned }) => [handle, enabled, banned]).slice(0, 2)).toEqual([
      [first, false, false],
      [second, true, true],
    ])
    await changePersona(parts, admin, first, { enabled: true })
    expect((await findPersona(store.db, first))?.enabled).toBe(true)
  })

  test('admins add their own, last in the list', async () => {
    await insertModel(store.db, {
      id: 'big',
      name: 'Big',
      provider: 'openai-compatible',
      model: 'big-1',
      context_tokens: 9_000,
    })
    const made = await createPersona(
      parts,
      admin,
      input({ modelId: 'big', picture: '🦉', askers: 'members' }),
    )
    expect(made).toMatchObject({
      handle: 'sum-up',
      picture: '🦉',
      instructions: 'Be brief.',
      shippedInstructions: null,
      model: 'big',
      offline: false,
      enabled: true,
      version: 1,
    })
    expect((await listPersonas(parts)).map(({ handle }) => handle)).toEqual([...handles, 'sum-up'])
    expect(asked).toContain('big')
    await createPersona(parts, admin, input({ handle: 'another' }))
    expect((await listPersonas(parts)).at(-1)?.handle).toBe('another')
    const found = await findPersona(store.db, 'sum-up')
    expect(found).toMatchObject({ modelId: 'big', askers: 'members', shipped: null })
  })

  test('an agent outside has no model', async () => {
    const made = await createPersona(parts, admin, input({ external: true, instructions: undefined }))
    expect(made).toMatchObject({ external: true, model: '', offline: false })
    const shown = (await listPersonas(parts)).find(({ handle }) => handle === 'sum-up')
    expect(shown).toMatchObject({ external: true, model: '', offline: false })
  })

  test('what would not do is refused, and says where', async () => {
    const [first, second] = handles as [string, string]
    expect(await refusalOf(createPersona(parts, admin, input({ handle: first })))).toBe(
      'handle-taken /handle',
    )
    expect(await refusalOf(createPersona(parts, admin, input({ instructions: undefined })))).toBe(
      'invalid /instructions',
    )
    expect(await refusalOf(createPersona(parts, admin, input({ modelId: 'gone' })))).toBe('invalid /modelId')
    expect(await refusalOf(changePersona(parts, admin, first, { handle: second }))).toBe(
      'handle-taken /handle',
    )
    expect(await refusalOf(changePersona(parts, admin, first, { modelId: 'gone' }))).toBe('invalid /modelId')
    expect(await refusalOf(changePersona(parts, admin, 'nobody', {}))).toBe('persona-not-found')
    await createPersona(parts, admin, input({ external: true, instructions: undefined }))
    expect(await refusalOf(changePersona(parts, admin, 'sum-up', { external: false }))).toBe(
      'invalid /instructions',
    )
    await createPersona(parts, admin, input({ handle: 'own' }))
    expect(await refusalOf(changePersona(parts, admin, 'own', { instructions: null }))).toBe(
      'invalid /instructions',
    )
    // Nothing of it was done by half.
    expect((await findPersona(store.db, first))?.version).toBe(1)
    const users = await store.db.selectFrom('users').select('id').where('kind', '=', 'ai').execute()
    expect(users).toHaveLength(handles.length + 2)
  })

  test('a handle that two want at once goes to one', async () => {
    const ends = await Promise.all([
      refusalOf(createPersona(parts, admin, input())),
      refusalOf(createPersona(parts, admin, input())),
      refusalOf(changePersona(parts, admin, handles[0]!, { handle: 'sum-up' })),
    ])
    expect(ends.filter((end) => end === 'done')).toHaveLength(1)
    expect(new Set(ends)).toEqual(new Set(['done', 'handle-taken /handle']))
  })

  test('the version rises with what replies may show, and with nothing else', async () => {
    const [first] = handles as [string]
    const version = async (change: Parameters<typeof changePersona>[3]) =>
      (await changePersona(parts, admin, first, change)).version
    expect(await version({ description: 'Another', picture: '🐟', askers: 'moderators' })).toBe(1)
    expect(await version({ enabled: false })).toBe(1)
    expect(await version({ enabled: true, maxOutputTokens: shippedPersonas[0]!.maxOutputTokens })).toBe(1)
    expect(await version({ instructions: 'Mine.' })).toBe(2)
    expect(await version({ instructions: 'Mine.' })).toBe(2)
    expect(await version({ name: 'Plainly' })).toBe(3)
    expect(await version({ maxOutputTokens: 99 })).toBe(4)
    expect(await version({ contextTokens: 2_000 })).toBe(5)
    expect(await version({ instructions: null })).toBe(6)
    expect(await findPersona(store.db, first)).toMatchObject({
      name: 'Plainly',
      picture: '🐟',
      instructions: shippedPersonas[0]!.instructions,
    })
    expect(await version({ picture: null })).toBe(6)
    expect(await findPersona(store.db, first)).not.toHaveProperty('picture')
  })

  test('only admins may', async () => {
    const moderator = await addUser(store.db, 'mod', { role: 'moderator' })
    for (const [actor, code] of [
      [null, 'sign-in-required'],
      [moderator, 'forbidden'],
    ] as const) {
      expect(await refusalOf(personasForAdmin(parts, actor))).toBe(code)
      expect(await refusalOf(createPersona(parts, actor, input()))).toBe(code)
      expect(await refusalOf(changePersona(parts, actor, handles[0]!, { enabled: false }))).toBe(code)
    }
    expect(await findPersona(store.db, handles[0]!)).toBeDefined()
  })

  test('posts of a disabled one stay under its name', async () => {
    const persona = (await findPersona(store.db, handles[0]!))!
    const thread = await addThread(store.db, 'root')
    const post = await addPost(store.db, thread, persona.id, 'words')
    await changePersona(parts, admin, persona.handle, { enabled: false })
    expect(post.author).toEqual({
      id: persona.id,
      name: persona.name,
      kind: 'ai',
      picture: persona.picture,
    })
    await expect(store.db.deleteFrom('users').where('id', '=', persona.id).execute()).rejects.toThrow()
  })

  test('today’s tokens are counted by site, thread and person, most first', async () => {
    const day = '2026-05-06'
    const few = await addThread(store.db, 'root', 'root', 'Few')
    const many = await addThread(store.db, 'root', 'root', 'Many')
    const row = (scope: string, spent: number, reserved = 0, on = day) => ({
      scope,
      day: on,
      spent,
      reserved,
    })
    await store.db.deleteFrom('ai_budgets').execute()
    expect(await readUsage(store.db, day, 5)).toEqual({
      site: { spent: 0, reserved: 0 },
      threads: [],
      people: [],
    })
    await store.db
      .insertInto('ai_budgets')
      .values([
        row('site', 100, 20),
        row('site', 7_000, 0, '2026-05-05'),
        row(`thread:${few}`, 10),
        row(`thread:${many}`, 70, 20),
        row('thread:deleted', 20),
        row('person:root', 0, 20),
        row('person:persona-explain', 0),
      ])
      .execute()
    expect(await readUsage(store.db, day, 5)).toEqual({
      site: { spent: 100, reserved: 20 },
      threads: [
        { id: many, title: 'Many', spent: 70, reserved: 20 },
        { id: few, title: 'Few', spent: 10, reserved: 0 },
      ],
      people: [{ id: 'root', name: 'root', kind: 'person', spent: 0, reserved: 20 }],
    })
    expect((await readUsage(store.db, day, 1)).threads).toHaveLength(1)
  })
})
