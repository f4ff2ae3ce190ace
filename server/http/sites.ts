import * as z from 'zod/mini'
import {
  addSite as addBody,
  addSiteKey as addKeyBody,
  changeSite as changeBody,
  siteAnswer,
  siteId,
  siteKeyAnswer,
  siteList,
} from '../../shared/site.ts'
import {
  addSite,
  addSiteKey,
  changeSite,
  removeSite,
  removeSiteKey,
  sitesForAdmin,
  type SiteAdminParts,
} from '../embedding/site-admin.ts'
import { adminAsking, noStore } from './admin.ts'
import { route, type Route } from './route.ts'

const site = siteId
const key = z.string().check(z.regex(/^[\w-]{1,64}$/))
const problems = ['sign-in-required', 'forbidden', 'site-not-found'] as const
const ok = z.object({ ok: z.literal(true) })

/** Whose pages may embed threads. For admins. */
export function siteRoutes(parts: SiteAdminParts): Route[] {
  return [
    route({
      method: 'get',
      path: '/api/sites',
      summary: 'All sites, with their keys but not what is secret of these',
      status: 200,
      answer: siteList,
      problems: ['sign-in-required', 'forbidden'],
      limit: 'read',
      handle: async (_, c) => {
        noStore(c)
        return { sites: await sitesForAdmin(parts, await adminAsking(c)) }
      },
    }),
    route({
      method: 'post',
      path: '/api/sites',
      summary: 'Adds a site',
      body: addBody,
      status: 201,
      answer: siteAnswer,
      problems: ['sign-in-required', 'forbidden', 'origin-taken'],
      limit: 'write',
      handle: async ({ actor, body }) => ({ site: await addSite(parts, actor, body) }),
    }),
    route({
      method: 'patch',
      path: '/api/sites/:site',
      summary: 'Changes a site. What is left out stays as it is; rules and defaults are given whole',
      params: { site },
      body: changeBody,
      status: 200,
      answer: siteAnswer,
      problems: [...problems, 'origin-taken'],
      limit: 'write',
      handle: async ({ actor, params, body }) => ({
        site: await changeSite(parts, actor, params.site, body),
      }),
    }),
    route({
      method: 'delete',
      path: '/api/sites/:site',
      summary: 'Removes a site. Its threads stay, and its pages show them no more',
      params: { site },
      status: 200,
      answer: ok,
      problems,
      limit: 'write',
      handle: async ({ actor, params }) => {
        await removeSite(parts, actor, params.site)
        return { ok: true as const }
      },
    }),
    route({
      method: 'post',
      path: '/api/sites/:site/keys',
      summary: 'Makes a key by which the site’s server vouches for its readers, or takes its public one',
      params: { site },
      body: addKeyBody,
      status: 201,
      answer: siteKeyAnswer,
      problems,
      limit: 'write',
      handle: async ({ actor, params, body }, c) => {
        noStore(c)
        return await addSiteKey(parts, actor, params.site, body)
      },
    }),
    route({
      method: 'delete',
      path: '/api/sites/:site/keys/:key',
      summary: 'Revokes a key',
      params: { site, key },
      status: 200,
      answer: ok,
      problems: ['sign-in-required', 'forbidden', 'not-found'],
      limit: 'write',
      handle: async ({ actor, params }) => {
        await removeSiteKey(parts, actor, params.site, params.key)
        return { ok: true as const }
      },
    }),
  ]
}
