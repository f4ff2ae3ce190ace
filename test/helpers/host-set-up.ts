import type { AddSite } from '../../shared/site.ts'

/** Who runs the demo's server: the first who signs up there. */
export const demoAdmin = { name: 'The editor', email: 'editor@demo.invalid', password: 'only for the demo' }

/** Signs the first admin up on a new server, and adds a site with a key for its own server to sign with. */
export async function addHostSite(
  numinex: string,
  site: AddSite,
): Promise<{ id: string; key: { id: string; secret: string }; admin: Record<string, string> }> {
  const signUp = await post(`${numinex}/api/auth/sign-up/email`, demoAdmin)
  const admin = { authorization: `Bearer ${signUp.headers.get('set-auth-token')}` }
  const made = (await (await post(`${numinex}/api/sites`, site, admin)).json()) as { site: { id: string } }
  const { id } = made.site
  const keyed = await post(`${numinex}/api/sites/${id}/keys`, { algorithm: 'HS256', name: 'Website' }, admin)
  const { key, secret } = (await keyed.json()) as { key: { id: string }; secret: string }
  return { id, key: { id: key.id, secret }, admin }
}

async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer
}
