import * as z from 'zod/mini'
import { failureMessages, type ArticleFailure } from './article-failure.ts'
import { articleLimits, linkLimits } from './limits.ts'

/** Units that a section's heading may have beyond those of a heading: it may say that it goes on. */
const headingRoom = 20
/** Joining and parting may make some more sections than are aimed at, and some more signs between them. */
const slack = 2

const extracted = z
  .object({
    title: z.string().check(z.maxLength(linkLimits.urlMax)),
    hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
    sections: z
      .array(
        z.object({
          heading: z.nullable(z.string().check(z.maxLength(articleLimits.headingMax + headingRoom))),
          text: z.string().check(z.minLength(1), z.maxLength(articleLimits.sectionMax)),
        }),
      )
      .check(z.minLength(1), z.maxLength(articleLimits.sections * slack)),
  })
  .check(
    z.refine(
      ({ sections }) =>
        sections.reduce((sum, { text }) => sum + text.length, 0) <= articleLimits.textMax * slack,
    ),
  )

/** What a worker may answer to a RawPage. A page that took it over could send anything. */
export const workerAnswer = z.union([
  z.object({ text: extracted }),
  z.object({
    failure: z.enum(Object.keys(failureMessages) as [ArticleFailure, ...ArticleFailure[]]),
    detail: z.string().check(z.maxLength(linkLimits.urlMax)),
  }),
])
export type WorkerAnswer = z.infer<typeof workerAnswer>
