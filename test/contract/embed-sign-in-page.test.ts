import { afterAll, beforeAll, expect, test } from 'vitest'
import { grant, startGrant } from '../../server/embedding/popup-grants.ts'
import type { PopupStarted, Site } from '../../shared/site.ts'
import { guest, member, openApp, type TestApp, type Visitor } from '../helpers/app.ts'
import { goodClaims, hs256 } from '../helpers/host-tokens.ts'
import { publicUrl } from '../helpers/store.ts'

const host = 'https://blog.example.test'
let app: TestApp
let root: Visitor
let ada: Visitor
let guestly: Visitor
let site: Site

beforeAll(async () => {
  app = await openApp()
  root = await member(app, 'Root')
  ada = await member(app, 'Ada')
  guestly = await guest(app, 'Wren')
  const body = { name: 'The blog', origins: ['https://*.example.test'] }
  site = ((await (await app.ask('POST', '/api/sites', { who: root, body })).json()) as { site: Site }).site
})
afterAll(() => app.close())

async function look(path: string, who?: { cookie: string }) {
  const answer = await app.ask('GET', path, {
    headers: { accept: 'text/html', ...(who && { cookie: who.cookie }) },
  })
  return { status: answer.status, headers: answer.headers, html: await answer.text() }
}

async function start(asked = host): Promise<PopupStarted> {
  const answer = await app.ask('POST', '/api/embed/sign-in/popup', { body: { host: asked } })
  expect(answer.status).toBe(200)
  return (await answer.json()) as PopupStarted
}

const pathOf = (challenge: string) => `/embed/sign-in?challenge=${challenge}`

test('asks who is signed in whether they want to be there too, by the name of the host', async () => {
  const { challenge } = await start()
  const { status, html } = await look(pathOf(challenge), ada)
  expect(status).toBe(200)
  expect(html).toContain('Comment on <bdi>blog.example.test</bdi>')
  expect(html).toContain('Continue as <bdi>Ada</bdi>')
  expect(html).toContain('Not you? Sign out')
  expect(html).toContain(`data-challenge="${challenge}"`)
  expect(html).not.toContain('not administrate')
  expect((await look(pathOf(challenge), root)).html).toContain(
    'There you can moderate, but not administrate.',
  )
})

test('leads others to signing in, and back; there, guests are not offered to be guests', async () => {
  const { challenge } = await start()
  const there = `/sign-in?to=${encodeURIComponent(pathOf(challenge))}`
  for (const who of [undefined, guestly]) {
    const { html } = await look(pathOf(challenge), who)
    expect(html).toContain(`class="button" href="${there}"`)
    expect(html).not.toContain('Continue as')
    // Not one link on it forgets what it was for.
    for (const [, to] of html.matchAll(/href="\/sign-in\?to=([^"]*)"/g)) {
      expect(decodeURIComponent(to!)).toBe(pathOf(challenge))
    }
  }
  expect((await look(there)).html).not.toContain('guest-form')
  expect((await look(there)).html).toContain('sign-in-form')
  expect((await look('/sign-in?to=%2F')).html).toContain('guest-form')
})

test('believes nothing that its address says but the challenge, and says when that has run out', async () => {
  const { challenge } = await start('https://a.example.test')
  const { html } = await look(`${pathOf(challenge)}&host=https://evil.test`, ada)
  expect(html).toContain('a.example.test')
  expect(html).not.toContain('evil.test')
  await app.db
    .updateTable('sign_in_grants')
    .set({ expires_at: new Date(0) })
    .execute()
  for (const gone of [challenge, '', 'x', 'x'.repeat(43), '%00'.repeat(43), '<script>alert(1)</script>']) {
    const { status, html: page } = await look(pathOf(gone), ada)
    expect(status, gone).toBe(410)
    expect(page).toContain('This sign-in has run out')
    expect(page).not.toContain('alert(1)')
    expect(page).not.toContain('Continue as')
  }
})

test('cannot be framed, and keeps the tie to what opened it, as does the sign-in on the way', async () => {
  const { challenge } = await start()
  const there = `/sign-in?to=${encodeURIComponent(pathOf(challenge))}`
  for (const path of [pathOf(challenge), pathOf('gone'), there]) {
    const { headers } = await look(path, ada)
    expect(headers.get('cross-origin-opener-policy')).toBe('unsafe-none')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('cache-control')).toBe('private, no-cache')
  }
  for (const path of ['/', '/sign-in', '/sign-in?to=%2Ft%2Fx', '/sign-in?to=%2Fembed%2Fsign-in-not']) {
    expect((await look(path)).headers.get('cross-origin-opener-policy'), path).toBe('same-origin')
  }
})

test('the whole way, with the site and the key that an admin made', async () => {
  const { secret, challenge } = await start()
  const headers = { cookie: ada.cookie, origin: publicUrl, 'sec-fetch-site': 'same-origin' }
  const granted = await app.ask('POST', '/api/embed/sign-in/grant', { body: { challenge }, headers })
  const { code } = (await granted.json()) as { code: string }
  const finished = await app.ask('POST', '/api/embed/sign-in/code', { body: { secret, code } })
  expect(await finished.json()).toMatchObject({ user: { id: ada.id, name: 'Ada' } })

  const key = await app.ask('POST', `/api/sites/${site.id}/keys`, {
    who: root,
    body: { algorithm: 'HS256', name: 'Blog' },
  })
  const made = (await key.json()) as { key: { id: string }; secret: string }
  const token = hs256(made.secret, goodClaims(site.id), { kid: made.key.id })
  const byToken = await app.ask('POST', '/api/embed/sign-in/token', { body: { site: site.id, token } })
  const { user, token: bearer } = (await byToken.json()) as { user: { id: string }; token: string }
  const who = { headers: { authorization: `Bearer ${bearer}` } }
  const written = await app.ask('POST', '/api/threads', { who, body: { title: 'From afar', body: 'Hello.' } })
  expect(written.status).toBe(201)
  expect(await written.json()).toMatchObject({ posts: [{ author: { id: user.id, name: 'Ada Lovelace' } }] })
})

test('an admin administrates from the site alone', async () => {
  const { secret, challenge } = await startGrant(app.db, host)
  const { code } = await grant(app.db, challenge, root.id)
  const finished = await app.ask('POST', '/api/embed/sign-in/code', { body: { secret, code } })
  const { token } = (await finished.json()) as { token: string }
  const who = { headers: { authorization: `Bearer ${token}` } }
  for (const path of ['/api/sites', '/api/models', '/api/personas/all', '/api/ai/usage']) {
    expect((await app.ask('GET', path, { who })).status, path).toBe(403)
    expect((await app.ask('GET', path, { who: root })).status, path).toBe(200)
  }
  const body = { role: 'admin' }
  expect((await app.ask('PATCH', `/api/users/${ada.id}`, { who, body })).status).toBe(403)
  expect((await app.ask('PUT', `/api/users/${ada.id}/ban`, { who, body: {} })).status).toBe(403)
  expect(
    (await app.ask('POST', `/api/sites/${site.id}/keys`, { who, body: { algorithm: 'HS256', name: 'x' } }))
      .status,
  ).toBe(403)
})
