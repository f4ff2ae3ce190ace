import type { Hono } from 'hono'
import * as z from 'zod/mini'
import { Problem, type ProblemCode } from '../../shared/errors.ts'
import type { Actor } from '../threads/access.ts'
import type { Ctx, Env } from './context.ts'
import { limitBody } from './limit-body.ts'
import { answerLimits } from './limits.ts'
import type { LimitName, RateLimits } from './rate-limits.ts'

type Shape = z.ZodMiniType

/** One operation of the API: how it is asked, answered and limited. The OpenAPI description is made from these. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** With parameters as `:name`. */
  readonly path: string
  readonly summary: string
  readonly params?: Record<string, Shape>
  /** A parameter that may be repeated has an array for its schema, with whatever was given; of any other the first counts. */
  readonly query?: Record<string, Shape>
  readonly body?: Shape
  readonly status: 200 | 201 | 202
  readonly answer: Shape
  readonly problems: readonly ProblemCode[]
  readonly limit: LimitName
  readonly handle: (input: never, c: Ctx) => Promise<unknown>
}

type Output<S> = S extends Shape ? z.output<S> : undefined
type Outputs<S> = { [K in keyof S]: Output<S[K]> }

/** What a handler gets: everything parsed, and who asks. */
export interface Input<P, Q, B> {
  params: Outputs<P>
  query: Outputs<Q>
  body: Output<B>
  actor: Actor | null
}

/** A route with its handler's input inferred from its schemas. */
export function route<
  P extends Record<string, Shape>,
  Q extends Record<string, Shape>,
  B extends Shape,
  A extends Shape,
>(
  definition: Omit<Route, 'handle' | 'params' | 'query' | 'body' | 'answer'> & {
    params?: P
    query?: Q
    body?: B
    answer: A
    handle: (input: Input<P, Q, B>, c: Ctx) => Promise<z.input<A> | Response>
  },
): Route {
  return definition as unknown as Route
}

/** Mounts routes: limit → parse → one call → respond. */
export function mountRoutes(app: Hono<Env>, routes: readonly Route[], rates: RateLimits): void {
  for (const definition of routes) {
    const { method, path } = definition
    // Made once: a schema is slow to make and fast to use.
    const schemas = { params: z.object(definition.params ?? {}), query: z.object(definition.query ?? {}) }
    if (definition.body) app.on(method, path, limitBody)
    app.on(method, path, async (c) => {
      // Reading needs no account, so nobody is looked up for it.
      const actor = method === 'get' ? null : ((await c.get('identify')())?.actor ?? null)
      await rates.take(definition.limit, actor?.id ?? c.get('address'))
      if (actor?.kind === 'guest') await rates.take('guests', c.get('address'))
      const input = {
        params: parseParams(schemas.params, c),
        query: parse(schemas.query, queryOf(definition, c)),
        body: definition.body && parse(definition.body, await readJson(c)),
        actor,
      }
      const answer = await definition.handle(input as never, c)
      if (answer instanceof Response) return answer
      // What is written is mostly answered in a few hundred bytes, which nobody would pack, so its headers are put together
      // here: headers that are added to an answer later cost as much as the rest of the request.
      if (method === 'get') return c.json(answer as object, definition.status)
      const text = JSON.stringify(answer)
      const small = text.length < answerLimits.compressFrom
      if (small) c.set('complete', true)
      return c.body(text, definition.status, {
        ...(small && c.get('headers')()),
        'content-type': 'application/json',
      })
    })
  }
}

/** How many mistakes of a request are told, and the length of each in UTF-16 units. */
const issuesTold = 10
const issueLength = 200

const notFound: Record<string, ProblemCode> = {
  thread: 'thread-not-found',
  number: 'post-not-found',
  site: 'site-not-found',
}

/** A path that names nothing possible is a thing not found, not a malformed request. */
function parseParams(schema: Shape, c: Ctx): unknown {
  const result = schema.safeParse(c.req.param())
  if (result.success) return result.data
  const wrong = result.error.issues[0]?.path[0]
  throw new Problem(notFound[String(wrong)] ?? 'not-found')
}

function queryOf({ query }: Route, c: Ctx): Record<string, unknown> {
  if (query === undefined) return {}
  const given = c.req.queries()
  return Object.fromEntries(
    Object.entries(query).map(([name, schema]) => {
      const values = given[name] ?? []
      return [name, schema instanceof z.ZodMiniArray ? values : values[0]]
    }),
  )
}

function parse<S extends Shape>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  // Unknown keys are repeated in the message, and there may be a request full of them.
  const issues = result.error.issues.slice(0, issuesTold).map((issue) => ({
    path: `/${issue.path.map(String).join('/')}`,
    message: issue.message.slice(0, issueLength),
  }))
  throw new Problem('invalid', {
    detail: issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
    issues,
  })
}

async function readJson(c: Ctx): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw new Problem('unsupported-type')
  const text = await c.req.text()
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new Problem('bad-request', { detail: 'the body is not JSON', cause })
  }
}
