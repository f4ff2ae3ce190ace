import * as z from 'zod/mini'

/** RFC 9457 problem document. */
export const problemDocument = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.optional(z.string()),
  retryMs: z.optional(z.number()),
  issues: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
})
export type ProblemDocument = z.infer<typeof problemDocument>
