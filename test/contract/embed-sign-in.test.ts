import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { identify } from '../../server/accounts/identify.ts'
import { ban, setRole } from '../../server/accounts/moderation.ts'
import { recheck } from '../../server/accounts/recheck.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import type { Bus } from '../../server/bus/bus.ts'
import { sweepSignIns } from '../../server/embedding/sweep.ts'
import type { Db } from '../../server/store/database.ts'
import type { Actor } from '../../server/threads/access.ts'
import type { PopupStarted, WidgetSession } from '../../shared/site.ts'
import { eddsa, goodClaims, hs256, type Claims } from '../helpers/host-tokens.ts'
import {
  credentials,
  describeOnBoth,
  emptyTables,
  signedIn,
  signIn,
  signInGuest,
  signUp,
  whoIs,
  type AccountsDatabase,
  type SignedIn,
} from './accounts-fixture.ts'
import {
  addSite,
  bearer,
  codeOf,
  host,
  openSignInNode,
  pair,
  secret,
  session,
  site,
  type SignInNode,
} from './embed-sign-in-fixture.ts'

const token = (more: Claims = {}) => hs256(secret, goodClaims(site, Date.now(), more))

describeOnBoth('signing in in a widget', (open) => {
  let database: AccountsDatabase
  let db: Db
  let bus: Bus
  let node: SignInNode
  /** Another node, with the same database and bus. */
  let other: SignInNode

  beforeAll(async () => {
    database = await open()
    db = database.db
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    await emptyTables(db)
    await addSite(db, site)
    bus = createMemoryBus()
    node = openSignInNode(db, bus)
    other = openSignInNode(db, bus)
  })

  const at = '/api/embed/sign-in'
  const byToken = (jwt: string, headers: Record<string, string> = {}, on = node) =>
    on.ask(`${at}/token`, { site, token: jwt }, headers)
  const popup = async (asked = host): Promise<PopupStarted> =>
    (await node.ask(`${at}/popup`, { host: asked })).json
  const grant = (challenge: string, who: { cookie: string }) =>
    node.ask(`${at}/grant`, { challenge }, { cookie: who.cookie })
  const granted = async (challenge: string, who: { cookie: string }): Promise<string> => {
    const { status, json } = await grant(challenge, who)
    expect(status, JSON.stringify(json)).toBe(200)
    return json.code
  }
  const finish = (key: string, code: string, headers: Record<string, string> = {}, on = node) =>
    on.ask(`${at}/code`, { secret: key, code }, headers)
  const byPopup = async (who: { cookie: string }): Promise<WidgetSession> => {
    const started = await popup()
    return session(finish(started.secret, await granted(started.challenge, who)))
  }
  const identityOf = (headers: Record<string, string>, on = node) =>
    on.accounts.identify(new Headers(headers))
  const actorOf = async (who: SignedIn): Promise<Actor> =>
    (await identityOf(credentials({ token: who.token })))!.actor
  const sessions = async () => (await sql<{ user_id: string }>`select user_id from sessions`.execute(db)).rows

  /** A thread with a post of someone. */
  async function write(authorId: string): Promise<void> {
    await db
      .insertInto('threads')
      .values({ id: 'thread', title: 'A thread', url: null, link_id: null })
      .execute()
    const text = { body: 'text', html: '<p>text</p>', excerpt: 'text', state: 'complete' as const }
    const none = { parent: null, quote_number: null, quote_text: null, edited_at: null, client_id: null }
    const place = { thread_id: 'thread', number: 1, seq: 1, body_seq: 1 }
    await db
      .insertInto('posts')
      .values({ ...place, ...text, ...none, author_id: authorId })
      .execute()
  }
  const author = async () =>
    (await db.selectFrom('posts').select('author_id').executeTakeFirstOrThrow()).author_id

  describe('by a token of the host', () => {
    test('makes an account at first, and finds it again; its name follows', async () => {
      const ada = await session(byToken(token()))
      expect(ada.user).toEqual({
        id: expect.any(String),
        name: 'Ada Lovelace',
        kind: 'person',
        role: 'member',
      })
      expect((await identityOf(bearer(ada.token)))!).toMatchObject({ actor: ada.user, inWidget: true })
      const hour = Date.parse(ada.expiresAt) - Date.now()
      expect(hour).toBeGreaterThan(3_590_000)
      expect(hour).toBeLessThanOrEqual(3_600_000)

      const again = await session(
        byToken(eddsa(pair.privateKey, goodClaims(site, Date.now(), { name: 'Ada L.' }))),
      )
      expect(again.user).toEqual({ ...ada.user, name: 'Ada L.' })
      expect(again.token).not.toBe(ada.token)
      const bo = await session(byToken(token({ sub: 'reader-2' })))
      expect(bo.user.id).not.toBe(ada.user.id)
      // The same subject of another site is somebody else.
      await addSite(db, 'zzzzzzzzzz')
      const rows = await db.selectFrom('site_users').selectAll().orderBy('subject').execute()
      expect(rows).toEqual([
        { site_id: site, subject: 'reader-1', user_id: ada.user.id },
        { site_id: site, subject: 'reader-2', user_id: bo.user.id },
      ])
    })

    test('keeps no address of theirs in clear, and makes nobody admin', async () => {
      const ada = await session(byToken(token({ email: 'ada.lovelace@example.test' })))
      const tables = ['users', 'accounts', 'sessions', 'site_users', 'used_tokens', 'verifications']
      for (const table of tables) {
        const { rows } = await sql`select * from ${sql.table(table)}`.execute(db)
        expect(JSON.stringify(rows)).not.toContain('lovelace@')
      }
      expect(node.log()).not.toContain('lovelace@')
      expect(node.log()).not.toContain(ada.token)
      // The first to sign up is admin all the same.
      expect((await actorOf(await signUp(node.accounts, 'Root'))).role).toBe('admin')
      expect((await identityOf(bearer(ada.token)))!.actor.role).toBe('member')
    })

    test('gives nobody the name of an AI participant', async () => {
      await db
        .insertInto('users')
        .values({ id: 'check', name: 'Check', kind: 'ai', role: 'member', email: 'check@personas.invalid' })
        .execute()
      const persona = {
        handle: 'prüfer',
        instructions: null,
        model_id: null,
        max_output_tokens: 1,
        context_tokens: 1,
      }
      await db
        .insertInto('personas')
        .values({ user_id: 'check', ...persona })
        .execute()
      expect((await session(byToken(token({ name: 'C h e c k!' })))).user.name).toBe('Member')
      expect((await session(byToken(token({ name: 'Prüfer' })))).user.name).toBe('Member')
      expect((await session(byToken(token({ name: '🌱' })))).user.name).toBe('🌱')
    })

    test('makes one account, however many widgets of a page come at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          session(byToken(token(), {}, index % 2 === 0 ? node : other)),
        ),
      )
      expect(new Set(all.map(({ user }) => user.id)).size).toBe(1)
      expect(new Set(all.map((made) => made.token)).size).toBe(8)
      expect(await db.selectFrom('site_users').selectAll().execute()).toHaveLength(1)
      // That account and the site's own.
      expect(await db.selectFrom('users').select('id').execute()).toHaveLength(2)
    })

    test('takes a token again for some seconds only, on any node', async () => {
      const jwt = token()
      await session(byToken(jwt))
      await session(byToken(jwt, {}, other))
      await sql`update used_tokens set used_at = used_at - interval '31 seconds'`.execute(db)
      for (const on of [node, other]) {
        const { status, json } = await byToken(jwt, {}, on)
        expect(status).toBe(401)
        expect(json).toMatchObject({
          code: 'token-refused',
          detail: expect.stringContaining('used before (jti)'),
        })
      }
      // Using it in vain does not begin the time anew, and the next token is good.
      expect(await codeOf(byToken(jwt))).toBe('token-refused')
      await session(byToken(token()))
    })

    test('tells the host’s developer what is wrong, and makes nothing', async () => {
      const { status, json } = await byToken(token({ aud: 'zzzzzzzzzz' }))
      expect(status).toBe(401)
      expect(json).toMatchObject({
        code: 'token-refused',
        detail: `The token of the host page was refused: the claim aud must be the id of the site, ${site}.`,
      })
      expect(await codeOf(byToken(hs256('guessed', goodClaims(site))))).toBe('token-refused')
      expect(await codeOf(byToken('x'.repeat(8_001)))).toBe('invalid')
      expect(await codeOf(node.ask(`${at}/token`, { site: 'zzzzzzzzzz', token: token() }))).toBe(
        'site-not-found',
      )
      for (const table of ['site_users', 'used_tokens', 'sessions']) {
        expect((await sql`select from ${sql.table(table)}`.execute(db)).rows).toEqual([])
      }
    })

    test('brings along what the reader wrote there as a guest', async () => {
      const guest = await signInGuest(node.accounts, 'Guest')
      await write(guest.id)
      const ada = await session(byToken(token(), bearer(guest.token)))
      expect(await author()).toBe(ada.user.id)
      expect(await whoIs({ ...node.accounts } as never, { token: guest.token })).toBeNull()
      expect(other.changes).toEqual([{ userId: guest.id }])
      // Whoever was no guest keeps what is theirs.
      const bo = await session(byToken(token({ sub: 'reader-2' }), bearer(ada.token)))
      expect(bo.user.id).not.toBe(ada.user.id)
      expect(await author()).toBe(ada.user.id)
    })

    test('leaves a guest alone whose cookie came along, or whose token was refused', async () => {
      const guest = await signInGuest(node.accounts, 'Guest')
      await write(guest.id)
      await session(byToken(token(), { cookie: guest.cookie }))
      expect(await codeOf(byToken(token({ exp: 0 }), bearer(guest.token)))).toBe('token-refused')
      expect(await author()).toBe(guest.id)
    })

    test('brings along what was imported for the site under the address that the token names', async () => {
      const hash = createHash('sha256').update('ada@example.test').digest('hex')
      for (const [id, source] of [
        ['here', `disqus@${site}`],
        ['there', 'disqus@zzzzzzzzzz'],
      ] as const) {
        await db
          .insertInto('users')
          .values({ id, name: 'Ada', kind: 'person', role: 'member', email: `${id}@imported.invalid` })
          .execute()
        await db
          .insertInto('placeholders')
          .values({
            user_id: id,
            source,
            source_id: 'ada',
            email_hash: hash,
            claim: null,
            claim_expires_at: null,
          })
          .execute()
      }
      await write('here')
      await session(byToken(token({ sub: 'reader-2', email: 'bo@example.test' })))
      await session(byToken(token({ sub: 'reader-3' })))
      expect(await author()).toBe('here')
      const ada = await session(byToken(token({ email: 'Ada@Example.test' })))
      expect(await author()).toBe(ada.user.id)
      const left = await db
        .selectFrom('placeholders')
        .select(['user_id', 'claimed_at'])
        .orderBy('source')
        .execute()
      expect(left).toEqual([
        { user_id: ada.user.id, claimed_at: expect.any(Date) },
        { user_id: 'there', claimed_at: null },
      ])
      // Another sign-in finds nothing more to bring.
      expect((await session(byToken(token({ email: 'ada@example.test' })))).user).toEqual(ada.user)
    })

    test('refuses who is banned, and a ban ends what there is, on every node', async () => {
      const root = await signUp(node.accounts, 'Root')
      const ada = await session(byToken(token()))
      await ban({ db, bus }, await actorOf(root), ada.user.id)
      expect(other.changes).toContainEqual({ userId: ada.user.id })
      expect(await identityOf(bearer(ada.token))).toBeNull()
      expect(await codeOf(byToken(token()))).toBe('banned')
      expect((await sessions()).map((row) => row.user_id)).toEqual([root.id])
    })
  })

  describe('in another window', () => {
    let ada: SignedIn
    beforeEach(async () => {
      await signUp(node.accounts, 'Root')
      ada = await signUp(node.accounts, 'Ada')
    })

    test('gives the widget a session by secret and code, once', async () => {
      const { secret: key, challenge, expiresAt } = await popup()
      const minutes = (at: string) => (Date.parse(at) - Date.now()) / 60_000
      expect(minutes(expiresAt)).toBeCloseTo(15, 0)
      const { json } = await grant(challenge, ada)
      expect(minutes(json.expiresAt)).toBeCloseTo(5, 0)
      const { code } = json
      expect(code).toMatch(/^[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}$/)
      // Not one of them is in the database.
      const stored = JSON.stringify(await db.selectFrom('sign_in_grants').selectAll().execute())
      const bare = code.replace('-', '')
      // Nor the hash of the code alone, of which a table of all could be made.
      const hash = createHash('sha256').update(bare).digest('base64url')
      for (const part of [key, code, bare, hash]) expect(stored).not.toContain(part)

      const made = await session(finish(key, code, {}, other))
      expect(made.user).toEqual({ id: ada.id, name: 'Ada', kind: 'person', role: 'member' })
      expect(await identityOf(bearer(made.token))).toMatchObject({ actor: made.user, inWidget: true })
      const days = (Date.parse(made.expiresAt) - Date.now()) / 86_400_000
      expect(days).toBeGreaterThan(29.9)
      expect(days).toBeLessThanOrEqual(30)
      const row = await sql`select site_id from sessions where token like 'widget%'`.execute(db)
      expect(row.rows).toEqual([{ site_id: site }])
      expect(await codeOf(finish(key, code))).toBe('code-refused')
    })

    test('takes the code as people type it', async () => {
      for (const typed of [
        (code: string) => code.toLowerCase(),
        (code: string) => ` ${code.replace('-', ' ')} `,
      ]) {
        const { secret: key, challenge } = await popup()
        await session(finish(key, typed(await granted(challenge, ada))))
      }
    })

    test('gives one session, however many bring the code at once', async () => {
      const { secret: key, challenge } = await popup()
      const code = await granted(challenge, ada)
      const answers = await Promise.all(
        [node, other, node, other, node].map((on) => finish(key, code, {}, on)),
      )
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422, 422, 422, 422])
      const widgets = await sql`select from sessions where token like 'widget%'`.execute(db)
      expect(widgets.rows).toHaveLength(1)
    })

    test('gives nothing to who lured a reader: their secret is not that of the code', async () => {
      const [lured, own] = [await popup(), await popup()]
      const code = await granted(own.challenge, ada)
      expect(await codeOf(finish(lured.secret, code))).toBe('code-refused')
      // Nor is the challenge, which the address of the window shows, a secret.
      expect(await codeOf(finish(own.challenge, code))).toBe('code-refused')
      // Agreed to twice, for each its own code.
      const theirs = await granted(lured.challenge, ada)
      expect(await codeOf(finish(own.secret, theirs))).toBe('code-refused')
      expect(await codeOf(finish(lured.secret, code))).toBe('code-refused')
      await session(finish(own.secret, code))
    })

    test('ends after five wrong codes, also for the right one and for a new one', async () => {
      const { secret: key, challenge } = await popup()
      // Before anyone agreed there is nothing to guess.
      expect(await codeOf(finish(key, 'AAAA-AAAA'))).toBe('code-refused')
      const first = await granted(challenge, ada)
      for (const wrong of ['AAAA-AAAA', '', 'BBBBBBBB', 'CCCC']) {
        const { json } = await finish(key, wrong)
        expect(json).toMatchObject({ code: 'code-refused', detail: expect.stringContaining('not right') })
      }
      const second = await granted(challenge, ada)
      expect(await codeOf(finish(key, first))).toBe('code-refused')
      expect(await codeOf(finish(key, second))).toBe('code-refused')
      expect(await codeOf(grant(challenge, ada))).toBe('code-refused')
    })

    test('counts codes that are tried all at once', async () => {
      const { secret: key, challenge } = await popup()
      const code = await granted(challenge, ada)
      const guesses = Array.from({ length: 12 }, (_, index) => `AAAA-AAA${'BCDEFGHJKMNP'[index]}`)
      await Promise.all(guesses.map((guess) => finish(key, guess)))
      expect(await codeOf(finish(key, code))).toBe('code-refused')
    })

    test('has run out after a quarter of an hour, and its code after five minutes', async () => {
      const [early, late] = [await popup(), await popup()]
      const code = await granted(late.challenge, ada)
      await sql`update sign_in_grants set expires_at = expires_at - interval '5 minutes'`.execute(db)
      expect((await grant(early.challenge, ada)).status).toBe(200)
      expect(await codeOf(finish(late.secret, code))).toBe('code-refused')
      await sql`update sign_in_grants set expires_at = expires_at - interval '15 minutes'`.execute(db)
      expect(await codeOf(grant(early.challenge, ada))).toBe('code-refused')
      expect(await codeOf(finish(late.secret, code))).toBe('code-refused')
    })

    test('is begun for pages of a site, or of the server itself, and for nothing else', async () => {
      expect(await codeOf(node.ask(`${at}/popup`, { host: 'https://evil.test' }))).toBe('page-not-allowed')
      for (const wrong of ['https://*.example.test', 'blog.example.test', '', 'javascript:alert(1)']) {
        expect(await codeOf(node.ask(`${at}/popup`, { host: wrong })), wrong).toBe('invalid')
      }
      const { secret: key, challenge } = await popup('http://numinex.test')
      const made = await session(finish(key, await granted(challenge, ada)))
      // Without a site it is a widget's all the same.
      expect((await sql`select site_id from sessions where token like 'widget%'`.execute(db)).rows).toEqual([
        { site_id: null },
      ])
      expect((await identityOf(bearer(made.token)))!.inWidget).toBe(true)
    })

    test('is granted by people signed in on the site alone, from a page of ours', async () => {
      const { challenge } = await popup()
      const refused = (headers: Record<string, string>) =>
        codeOf(node.ask(`${at}/grant`, { challenge }, headers))
      expect(await refused({})).toBe('sign-in-required')
      const guest = await signInGuest(node.accounts, 'Guest')
      expect(await refused({ cookie: guest.cookie })).toBe('sign-in-required')
      const { json } = await node.ask('/api/auth/api-key/create', { name: 'k' }, { cookie: ada.cookie })
      expect(await refused({ 'x-api-key': json.key })).toBe('forbidden')
      const widget = await byPopup(ada)
      expect(await refused(bearer(widget.token))).toBe('forbidden')
      expect(await refused({ cookie: `numinex.session_token=${widget.token}` })).toBe('forbidden')
      expect(await refused({ cookie: ada.cookie, origin: host })).toBe('cross-site')
      expect(await refused({ cookie: ada.cookie, 'sec-fetch-site': 'cross-site' })).toBe('cross-site')
      for (const unknown of ['x', '', 'x'.repeat(43), '\u0000'.repeat(43)]) {
        expect(await codeOf(grant(unknown, ada))).toBe('code-refused')
      }
      await granted(challenge, ada)
    })

    test('brings along what the reader wrote in the widget as a guest', async () => {
      const guest = await signInGuest(node.accounts, 'Guest')
      await write(guest.id)
      const { secret: key, challenge } = await popup()
      const code = await granted(challenge, ada)
      expect(await codeOf(finish(key, 'AAAA-AAAA', bearer(guest.token)))).toBe('code-refused')
      expect(await author()).toBe(guest.id)
      await session(finish(key, code, bearer(guest.token)))
      expect(await author()).toBe(ada.id)
    })

    test('refuses who was banned meanwhile, and ends with a ban', async () => {
      const widget = await byPopup(ada)
      const { secret: key, challenge } = await popup()
      const code = await granted(challenge, ada)
      const root = await signedIn(signIn(node.accounts, 'Root'))
      await ban({ db, bus }, await actorOf(root), ada.id)
      expect(await identityOf(bearer(widget.token), other)).toBeNull()
      expect(await codeOf(finish(key, code))).toBe('banned')
      expect(await codeOf(grant((await popup()).challenge, ada))).toBe('sign-in-required')
    })
  })

  describe('a widget’s session', () => {
    let root: SignedIn
    beforeEach(async () => {
      root = await signUp(node.accounts, 'Root')
    })

    test('lets an admin moderate there, and no more', async () => {
      const widget = await byPopup(root)
      expect(widget.user.role).toBe('moderator')
      const identity = (await identityOf(bearer(widget.token)))!
      expect(identity.actor).toMatchObject({ id: root.id, role: 'moderator' })
      expect((await actorOf(root)).role).toBe('admin')
      const { json } = await node.ask('/api/auth/get-session', undefined, bearer(widget.token))
      expect(json.user).toMatchObject({ id: root.id, role: 'moderator' })
      expect((await node.ask('/api/auth/get-session', undefined, bearer(root.token))).json.user.role).toBe(
        'admin',
      )
      // Looked at again later, nothing has changed.
      const full = (await identityOf(bearer(root.token)))!
      expect(await recheck(db, [identity, full])).toEqual([])
      const bo = await signUp(node.accounts, 'Bo')
      await setRole({ db, bus }, full.actor, bo.id, 'admin')
      await setRole({ db, bus }, full.actor, root.id, 'member')
      expect(await recheck(db, [identity, full])).toEqual([{ userId: root.id }, { userId: root.id }])
    })

    test('is worth no more where the library says nothing of it', async () => {
      const user = {
        id: 'root',
        name: 'Root',
        kind: 'person',
        role: 'admin',
        banned: false,
        banExpires: null,
      }
      const worth = async (token: string) => {
        const getSession = () => Promise.resolve({ session: { id: 's', token }, user })
        const auth = { api: { getSession } } as unknown as Parameters<typeof identify>[0]['auth']
        return (await identify({ db, auth }, new Headers({ cookie: 'x' })))!.actor.role
      }
      expect(await worth('widget_x')).toBe('moderator')
      expect(await worth('x')).toBe('admin')
    })

    test.each([
      ['by bearer token', (token: string) => bearer(token)],
      ['as a cookie', (token: string) => ({ cookie: `numinex.session_token=${token}` })],
      [
        'written in another way',
        (token: string) => bearer(token.replaceAll('w', '%77').replace('widget', '%77idget')),
      ],
    ] as const)('opens nothing else of accounts, %s', async (_, headersFor) => {
      const widget = await byPopup(root)
      const headers = headersFor(widget.token)
      expect(await identityOf(headers)).toMatchObject({ actor: { id: root.id, role: 'moderator' } })
      const before = await sessions()
      for (const [path, body] of [
        ['api-key/create', { name: 'k' }],
        ['api-key/list', undefined],
        ['update-user', { name: 'Evil' }],
        ['change-email', { newEmail: 'evil@example.test' }],
        ['change-password', { currentPassword: 'correct horse battery', newPassword: 'an evil password' }],
        ['set-password', { newPassword: 'an evil password' }],
        ['list-sessions', undefined],
        ['list-accounts', undefined],
        ['revoke-sessions', {}],
        ['revoke-other-sessions', {}],
        ['revoke-session', { token: widget.token }],
        ['delete-user', {}],
        ['link-social', { provider: 'github' }],
        ['sign-in/anonymous', { name: 'Guest' }],
        ['sign-in/email', { email: 'root@example.test', password: 'correct horse battery' }],
        ['sign-up/email', { name: 'New', email: 'new@example.test', password: 'correct horse battery' }],
      ] as const) {
        const { status, json } = await node.ask(`/api/auth/${path}`, body, headers)
        const words = `${path}: ${status} ${JSON.stringify(json)}`
        // What is not there at all is not found.
        expect(['forbidden', 'not-found'], words).toContain(json?.code ?? 'not-found')
        expect(status, words).toBeGreaterThanOrEqual(403)
      }
      expect(await sessions()).toEqual(before)
      expect(await db.selectFrom('users').select('name').where('id', '=', root.id).execute()).toEqual([
        { name: 'Root' },
      ])
    })

    test('cannot be made over HTTP', async () => {
      for (const path of ['create-widget-session', 'widget-sessions/create', ':virtual', 'virtual:']) {
        const body = { userId: root.id, siteId: null, seconds: 60 }
        expect((await node.ask(`/api/auth/${path}`, body, { cookie: root.cookie })).status, path).toBe(404)
      }
    })

    test('is never prolonged, and ends in its time', async () => {
      const widget = await session(byToken(token()))
      const expiry = async () =>
        (
          await sql<{ at: Date }>`select expires_at as at from sessions where token like 'widget%'`.execute(
            db,
          )
        ).rows[0]!.at
      const before = await expiry()
      await identityOf(bearer(widget.token))
      const answer = await node.ask('/api/auth/get-session', undefined, bearer(widget.token))
      expect(answer.json.user.id).toBe(widget.user.id)
      // In a spelling that is not known for a widget's at first sight.
      await node.ask('/api/auth/get-session', undefined, bearer(widget.token.replace('w', '%77')))
      expect(await expiry()).toEqual(before)
      const identity = (await identityOf(bearer(widget.token)))!
      await sql`update sessions set expires_at = now() - interval '1 second' where token like 'widget%'`.execute(
        db,
      )
      expect(await recheck(db, [identity])).toEqual([
        { userId: widget.user.id, sessionId: identity.sessionId },
      ])
      // The one that was asked before remembers for a moment.
      expect(await identityOf(bearer(widget.token), other)).toBeNull()
    })

    test('ends with signing out there, which every node hears of, and which ends no other', async () => {
      const widget = await byPopup(root)
      const { sessionId } = (await identityOf(bearer(widget.token)))!
      expect((await node.ask('/api/auth/sign-out', {}, bearer(widget.token))).status).toBe(200)
      expect(other.changes).toEqual([{ userId: root.id, sessionId }])
      expect(await identityOf(bearer(widget.token))).toBeNull()
      expect((await identityOf({ cookie: root.cookie }))!.actor.id).toBe(root.id)
    })

    test('is not taken from a token that somebody made up', async () => {
      const widget = await byPopup(root)
      const [name, signature] = widget.token.split('.') as [string, string]
      for (const forged of [
        name,
        `${name}.`,
        `${name}x.${signature}`,
        `${name.replace('widget_', '')}.${signature}`,
      ]) {
        expect(await identityOf(bearer(forged))).toBeNull()
      }
    })
  })

  test('what has run out is removed, and nothing else', async () => {
    const ada = await signUp(node.accounts, 'Ada')
    const kept = await session(byToken(token({ jti: 'kept' })))
    await session(byToken(token({ jti: 'gone' })))
    const [waiting] = [await popup(), await popup()]
    await sql`update used_tokens set expires_at = now() - interval '1 second' where token_id = 'gone'`.execute(
      db,
    )
    await sql`update sign_in_grants set expires_at = now() - interval '1 second' where challenge <> ${waiting!.challenge}`.execute(
      db,
    )
    const { sessionId } = (await identityOf(bearer(kept.token)))!
    await sql`update sessions set expires_at = now() - interval '1 second' where token like 'widget%' and id <> ${sessionId}`.execute(
      db,
    )
    await sweepSignIns(db)
    expect(await db.selectFrom('used_tokens').select('token_id').execute()).toEqual([{ token_id: 'kept' }])
    expect(await db.selectFrom('sign_in_grants').select('challenge').execute()).toEqual([
      { challenge: waiting!.challenge },
    ])
    expect((await sessions()).map((row) => row.user_id).toSorted()).toEqual([ada.id, kept.user.id].toSorted())
  })

  test('an address cannot go on trying for ever', async () => {
    const limited = openSignInNode(db, bus, { limited: true })
    const statuses = async (path: string, body: object, times: number) => {
      const answers = []
      for (let index = 0; index < times; index++)
        answers.push((await limited.ask(`${at}/${path}`, body)).status)
      return answers
    }
    const codes = await statuses('code', { secret: 'x', code: 'y' }, 21)
    expect(codes).toEqual([...Array<number>(20).fill(422), 429])
    expect(await codeOf(limited.ask(`${at}/popup`, { host }))).toBe('rate-limited')
    // Fifty widgets of a page may come with their token all the same, and hardly more.
    const tokens = await statuses('token', { site, token: 'x' }, 61)
    expect(tokens).toEqual([...Array<number>(60).fill(401), 429])
  })
})
