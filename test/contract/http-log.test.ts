import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openDatabase } from '../../server/store/database.ts'
import { member, openApp, type Visitor } from '../helpers/app.ts'
import { startNode } from '../helpers/node.ts'
import { createDatabase, describeWith } from '../helpers/services.ts'

const password = 'hunter2 hunter2'
const said = 'what somebody said in confidence'

/** Everything that must never stand in a log, in each spelling it has on its way. */
function secretsOf({ token, cookie }: Pick<Visitor, 'token' | 'cookie'>): string[] {
  const value = cookie.slice(cookie.indexOf('=') + 1)
  const [session] = token.split('.')
  return [token, decodeURIComponent(token), value, decodeURIComponent(value), session!, password, said]
}

function expectNone(log: string, secrets: string[]): void {
  for (const secret of secrets) expect(log.includes(secret), `${secret} in the log`).toBe(false)
}

test(
  'the log of the embedded server tells no secrets, also where the database fails',
  { timeout: 90_000 },
  async () => {
    const app = await openApp()
    const who = await member(app, 'Ada', password)
    const made = await app.ask('POST', '/api/threads', { who, body: { title: 'T', body: 'B' } })
    const { thread } = (await made.json()) as { thread: { id: string } }
    const reply = () =>
      app.ask('POST', `/api/threads/${thread.id}/posts`, {
        who,
        body: { parent: 1, body: said, clientId: 'c' },
      })
    const signIn = () =>
      app.ask('POST', '/api/auth/sign-in/email', { body: { email: 'ada@example.test', password } })
    // What is asked for stands in the address, and addresses are logged.
    await app.ask('GET', `/api/auth/get-session?token=${who.token}`, { headers: { cookie: who.cookie } })
    // The database tells the whole row of which it refuses a part.
    await sql`alter table posts add constraint refused check (body = 'B')`.execute(app.db)
    expect((await reply()).status).toBe(500)
    await sql`alter table posts rename column body to gone`.execute(app.db)
    expect((await reply()).status).toBe(500)
    await sql`alter table accounts rename to gone`.execute(app.db)
    expect((await signIn()).status).toBe(500)
    await sql`alter table sessions rename to gone_as_well`.execute(app.db)
    expect((await reply()).status).toBeGreaterThanOrEqual(500)
    expect((await app.ask('GET', '/api/auth/get-session', { headers: { cookie: who.cookie } })).status).toBe(
      500,
    )
    const log = app.log()
    // It does tell what went wrong.
    expect(log).toContain('request failed')
    expect(log).toMatch(/does not exist/)
    expectNone(log, secretsOf(who))
    await app.close()
  },
)

describeWith('postgres', 'the log of a server with Postgres', () => {
  test('tells no secrets, also where the database fails', { timeout: 90_000 }, async () => {
    const made = await createDatabase()
    const databasePassword = 'database-password'
    const url = made.url.replace('postgres@', `postgres:${databasePassword}@`)
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-log-'))
    const authSecret = 'a secret for signing, of some length'
    const node = await startNode({
      DATABASE_URL: url,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'trace',
      AUTH_SECRET: authSecret,
    })
    const database = await openDatabase({ url: made.url, dataDir: '', onError: () => undefined })
    try {
      const post = (at: string, body: object, headers: Record<string, string> = {}) =>
        fetch(node.url + at, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: node.url, ...headers },
          body: JSON.stringify(body),
        })
      const account = { email: 'ada@example.test', password }
      const entered = await post('/api/auth/sign-up/email', { ...account, name: 'Ada' })
      expect(entered.status, await entered.text()).toBe(200)
      const token = entered.headers.get('set-auth-token')!
      const cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
      const who = { authorization: `Bearer ${token}` }
      const thread = (await (await post('/api/threads', { title: 'T', body: 'B' }, who)).json()) as {
        thread: { id: string }
      }
      const reply = (headers: Record<string, string>) =>
        post(`/api/threads/${thread.thread.id}/posts`, { parent: 1, body: said, clientId: 'c' }, headers)
      await sql`alter table posts add constraint refused check (body = 'B')`.execute(database.db)
      expect((await reply({ cookie })).status).toBe(500)
      await sql`alter table posts rename column body to gone`.execute(database.db)
      expect((await reply({ cookie })).status).toBe(500)
      await sql`alter table users add constraint refused check (name = 'Ada' or kind = 'ai')`.execute(
        database.db,
      )
      const other = { email: 'bob@example.test', password, name: said }
      expect((await post('/api/auth/sign-up/email', other)).status).toBeGreaterThanOrEqual(422)
      await sql`alter table sessions add constraint refused check (id = '') not valid`.execute(database.db)
      expect((await post('/api/auth/sign-in/email', account)).status).toBe(500)
      await sql`alter table accounts rename to gone`.execute(database.db)
      expect((await post('/api/auth/sign-in/email', account)).status).toBe(500)
      await sql`alter table sessions rename to gone_as_well`.execute(database.db)
      expect((await reply(who)).status).toBeGreaterThanOrEqual(500)
      expect(await node.kill('SIGTERM')).toBe(0)
      const log = node.log()
      expect(log).toContain('request failed')
      expect(log).toMatch(/does not exist/)
      expect(log).toContain('violates check constraint')
      // Of the sessions that were refused nobody knows the tokens, but rows would hold them.
      expectNone(log, [...secretsOf({ token, cookie }), databasePassword, authSecret, 'row contains'])
    } finally {
      await node.kill('SIGKILL')
      await database.close()
      await made.drop()
      fs.rmSync(dataDir, { recursive: true, force: true })
    }
  })
})
