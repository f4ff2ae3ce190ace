import type { Hono } from 'hono'
import { Problem } from '../../shared/errors.ts'
import type { Ctx, Env } from '../http/context.ts'
import { limitBody } from '../http/limit-body.ts'
import { refuseCrossSite } from '../http/middleware.ts'
import type { RateLimits } from '../http/rate-limits.ts'
import { claimByCode, findClaim, type ClaimParts } from '../importing/claim.ts'
import { claimPath, renderClaimPage } from './claim-page.tsx'
import type { Frame } from './frame.tsx'

export interface ClaimPageParts extends ClaimParts {
  readonly rates: RateLimits
  isOwnOrigin(origin: string, host: string | undefined): boolean
  frameFor(c: Ctx): Promise<Frame>
  page(c: Ctx, html: string): Response
}

/** The page behind a link for claiming, and what its button does. */
export function addClaimPages(pages: Hono<Env>, parts: ClaimPageParts): void {
  pages.get(claimPath, async (c) => {
    await parts.rates.take('sign-in', c.get('address'))
    const code = c.req.query('code') ?? ''
    const claimable = await findClaim(parts.db, code)
    if (claimable === undefined) throw refused()
    return parts.page(c, renderClaimPage(await parts.frameFor(c), { claimable, code, claimed: false }))
  })

  pages.post(claimPath, limitBody, refuseCrossSite(parts.isOwnOrigin), async (c) => {
    await parts.rates.take('sign-in', c.get('address'))
    const identity = await c.get('identify')()
    if (identity === null || identity.actor.kind === 'guest') throw new Problem('sign-in-required')
    // Neither a key nor a widget, nor an AI participant, has a past elsewhere.
    if (identity.sessionId === null || identity.inWidget === true || identity.actor.kind !== 'person')
      throw new Problem('forbidden')
    const { code } = await c.req.parseBody()
    if (typeof code !== 'string') throw refused()
    const claimable = await claimByCode(parts, code, identity.actor.id).catch((error: unknown) => {
      throw error instanceof Problem && error.code === 'not-found' ? refused() : error
    })
    return parts.page(c, renderClaimPage(await parts.frameFor(c), { claimable, code: '', claimed: true }))
  })
}

function refused(): Problem {
  return new Problem('code-refused', { detail: 'This link has been used, or has run out.' })
}
