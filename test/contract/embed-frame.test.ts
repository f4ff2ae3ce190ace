import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guest, member, openApp, type TestApp, type Visitor } from '../helpers/app.ts'

const blog = 'https://blog.example'
const at = (path: string, query: Record<string, string>) => `${path}?${new URLSearchParams(query)}`

describe('what host pages get', () => {
  let app: TestApp
  let gus: Visitor

  beforeAll(async () => {
    app = await openApp()
    const admin = await member(app, 'Root')
    gus = await guest(app, 'Gus')
    const site = { name: 'The Margin', origins: [blog, 'https://*.margin.example'] }
    expect((await app.ask('POST', '/api/sites', { who: admin, body: site })).status).toBe(201)
  })
  afterAll(() => app.close())

  const frame = (query: Record<string, string>) => app.ask('GET', at('/embed/frame', query))
  const html = (url: string, headers: Record<string, string> = {}) =>
    app.ask('GET', at('/embed/html', { url }), { headers })
  async function comment(url: string, body: string): Promise<void> {
    const opened = await app.ask('POST', '/api/embed/threads', { who: gus, body: { url } })
    const { thread } = (await opened.json()) as { thread: { id: string } }
    const post = { parent: 1, body, clientId: crypto.randomUUID() }
    const answer = await app.ask('POST', `/api/threads/${thread.id}/posts`, { who: gus, body: post })
    expect(answer.status).toBe(201)
  }

  test('a frame says which pages may hold it, and is the same whoever asks', async () => {
    const answer = await frame({ host: blog, url: `${blog}/a` })
    expect(answer.status).toBe(200)
    const { headers } = answer
    expect(headers.get('content-security-policy')).toContain(`frame-ancestors 'self' ${blog}`)
    expect(headers.get('x-frame-options')).toBe(null)
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect(headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    const plain = (text: string) =>
      text.replace(/nonce="[^"]*"/g, '').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\b1\d{12}\b/g, '')
    const anyone = plain(await answer.text())
    const query = at('/embed/frame', { host: blog, url: `${blog}/a` })
    const signedIn = await app.ask('GET', query, { headers: { cookie: gus.cookie } })
    expect(plain(await signedIn.text())).toBe(anyone)
    expect(anyone).not.toContain('Gus')
  })

  test.each([
    ['another origin', { host: 'https://evil.example', url: `${blog}/a` }, 'may not show comments'],
    ['a page of another origin', { host: blog, url: 'https://evil.example/a' }, 'may not have threads'],
    ['no host', { url: `${blog}/a` }, 'host'],
    ['no page', { host: blog }, 'url'],
    ['an unknown thread', { host: blog, thread: 'zzzzzzzzzz' }, 'Thread not found'],
  ])('%s gets a notice that anybody may show, and nothing of a thread', async (_, query, words) => {
    await comment(`${blog}/a`, 'Secret handshake')
    const answer = await frame(query as unknown as Record<string, string>)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.headers.get('content-security-policy')).toContain('frame-ancestors *')
    const text = await answer.text()
    expect(text).toContain(words)
    expect(text).not.toContain('Secret handshake')
  })

  test('a notice says what it was given as text', async () => {
    const answer = await frame({ host: '"><script>alert(1)</script>', url: `${blog}/a` })
    expect(await answer.text()).not.toContain('<script>alert')
  })

  test('the comments as HTML have whole addresses and no scripts, and are not sent twice', async () => {
    const url = `${blog}/html`
    expect(await (await html(url)).text()).toContain('No comments yet.')
    await comment(url, 'See #1 <script>alert(1)</script>')
    const first = await html(`${url}?utm_source=x#y`)
    const text = await first.text()
    expect(first.headers.get('access-control-allow-origin')).toBe('*')
    expect(text).toContain('itemtype="https://schema.org/Comment"')
    expect(text).not.toMatch(/<script|<style|(?:href|src)="\/(?!\/)/)
    const etag = first.headers.get('etag')!
    expect((await html(url, { 'if-none-match': etag })).status).toBe(304)
    await comment(url, 'Another')
    const changed = await html(url, { 'if-none-match': etag })
    expect(changed.status).toBe(200)
    expect(await changed.text()).toContain('Another')
  })
})
