import * as z from 'zod/mini'
import { problems, type ProblemCode } from '../../shared/errors.ts'
import { problemDocument } from '../../shared/problem-document.ts'
import type { Route } from './route.ts'

/** The API described as OpenAPI 3.1, from the very schemas that parse and answer. */
export function describeApi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const each of routes) {
    const path = each.path.replace(/:(\w+)/g, '{$1}')
    ;(paths[path] ??= {})[each.method] = describeRoute(each)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Numinex',
      version,
      description:
        'Threads, posts and reactions. Errors are problem documents (RFC 9457) with a stable `code`.',
    },
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemDocument, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'numinex.session_token' },
      },
    },
  }
}

function describeRoute(each: Route): object {
  const parameters = [
    ...Object.entries(each.params ?? {}).map(([name, schema]) => ({
      name,
      schema,
      in: 'path',
      required: true,
    })),
    ...Object.entries(each.query ?? {}).map(([name, schema]) => ({
      name,
      schema,
      in: 'query',
      required: false,
    })),
  ].map((parameter) => ({ ...parameter, schema: jsonSchema(parameter.schema, 'input') }))
  return {
    summary: each.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(each.body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(each.body, 'input') } },
      },
    }),
    ...(each.method !== 'get' && { security: [{ bearer: [] }, { apiKey: [] }, { cookie: [] }] }),
    responses: {
      [each.status]: {
        description: 'Done',
        content: { 'application/json': { schema: jsonSchema(each.answer, 'output') } },
      },
      ...problemResponses(each),
    },
  }
}

function problemResponses(each: Route): Record<string, object> {
  const byStatus = new Map<number, string[]>()
  for (const code of new Set([...each.problems, ...commonProblems(each)])) {
    const status = problems[code][0]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

/** What every route of a kind may answer. */
function commonProblems({ method, query, body }: Route): ProblemCode[] {
  return [
    ...(query ? (['invalid'] as const) : []),
    ...(body ? (['bad-request', 'invalid', 'unsupported-type', 'too-large'] as const) : []),
    ...(method === 'get' ? [] : (['cross-site'] as const)),
    'rate-limited',
    'internal',
    'unavailable',
  ]
}

function jsonSchema(schema: z.ZodMiniType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
