import * as z from 'zod/mini'
import { Problem } from '../../shared/errors.ts'
import { createPost, createThread, displayName, emoji, webUrl } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'
import { authorKind, postNumber, threadId } from '../../shared/post.ts'

/**
 * The JSON Lines format in which threads leave and enter a server. docs/file-format.md describes it for those who
 * write such files; a change that older servers cannot read takes the next version.
 */
export const fileFormat = { name: 'numinex-thread', version: 1, extension: '.jsonl' } as const

/** Bounds of a file beside those of shared/limits.ts. */
export const fileLimits = {
  /** UTF-16 units of one line. A post with every reaction it can hold stays far below. */
  lineMax: 16 * 1024 * 1024,
  authorIdMax: 64,
  /** Clients keep a slot for every number up to the highest, so a file cannot leave gaps as wide as it likes. */
  numberMax: 1_000_000,
} as const

const withoutSpace = (value: string) => value.replace(/\s+/g, '')

/**
 * Text under the rule that the API has for it. What the API removes in silence (control characters, half a surrogate
 * pair) is refused here, since such a file was damaged on its way; white space may be folded.
 */
const text = (rule: z.ZodMiniType<string, string>) =>
  z.pipe(
    z.string().check(
      z.refine((value: string) => {
        const { data } = z.safeParse(rule, value)
        return data === undefined || data === value || withoutSpace(data) === withoutSpace(value)
      }, 'contains control characters or broken Unicode'),
    ),
    rule,
  )

const time = z.iso.datetime({ error: 'must be an ISO 8601 time in UTC, such as 2026-05-04T09:30:00Z' })
const authorId = z.string().check(z.regex(/^[\w.:-]+$/), z.maxLength(fileLimits.authorIdMax))
const number = postNumber.check(z.lte(fileLimits.numberMax))

const header = z.strictObject({
  format: z.literal(fileFormat.name),
  version: z.literal(fileFormat.version, {
    error: `must be ${fileFormat.version}: this server reads no other version`,
  }),
  thread: z.strictObject({
    id: z.optional(threadId),
    title: text(createThread.shape.title),
    url: z.optional(z.nullable(webUrl)),
    createdAt: time,
    locked: z.optional(z.boolean()),
  }),
  /** How many post lines follow: what progress is measured by, and how a file that was cut off is known. */
  posts: number,
})

const author = z.strictObject({ id: authorId, name: text(displayName), kind: authorKind })

const reaction = z.strictObject({ emoji, by: z.array(authorId).check(z.minLength(1)) })

const quoted = text(createPost.shape.body.check(z.maxLength(limits.quoteMax)))

const place = { number, parent: z.nullable(number), author: authorId, createdAt: time }

const content = {
  body: text(createPost.shape.body),
  editedAt: z.optional(z.nullable(time)),
  /** The text is null where the quoted post was deleted. */
  quote: z.optional(z.nullable(z.strictObject({ number, text: z.nullable(quoted) }))),
  reactions: z.optional(z.array(reaction).check(z.maxLength(limits.emojiPerPost))),
}

const post = z.discriminatedUnion('state', [
  z.strictObject({ ...place, ...content, state: z.optional(z.literal('complete')) }),
  // An AI reply that ended early may have ended before its first word.
  z.strictObject({
    ...place,
    ...content,
    body: z.optional(content.body),
    state: z.enum(['interrupted', 'stopped', 'failed']),
  }),
  z.strictObject({ ...place, state: z.literal('deleted') }),
])

const authorLine = z.strictObject({ author })
const postLine = z.strictObject({ post })

export type FileHeader = z.infer<typeof header>
export type FileAuthor = z.infer<typeof author>
export type FilePost = z.infer<typeof post>
export type FileRecord = FileHeader | { author: FileAuthor } | { post: FilePost }

/** A record as a line of the file, its newline included. */
export function formatLine(record: FileRecord): string {
  return `${JSON.stringify(record)}\n`
}

/**
 * One line of a file, without its newline, as a record. `line` counts from 1 and is named in errors.
 * Problems: invalid.
 */
export function parseLine(text: string, line: number): FileRecord {
  if (text.length > fileLimits.lineMax)
    throw invalidAt(line, '', `is longer than ${fileLimits.lineMax} characters`)
  const value = parseJson(text, line)
  const result = z.safeParse(schemaOf(value, line), value, { error: messages })
  if (result.success) return result.data
  throw invalidLine(
    line,
    result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  )
}

// zod/mini comes without messages of its own.
const messages = z.locales.en().localeError

function parseJson(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalidAt(line, '', text.trim() === '' ? 'is empty' : `is not JSON: ${(cause as Error).message}`)
  }
}

function schemaOf(value: unknown, line: number) {
  if (typeof value === 'object' && value !== null) {
    if ('post' in value) return postLine
    if ('author' in value) return authorLine
    if ('format' in value) return header
  }
  throw invalidAt(line, '', 'is neither the header nor an author nor a post')
}

/** The problem of one line of a file; `path` leads to the field, and is empty where it is the line as a whole. */
export function invalidAt(line: number, path: string, message: string): Problem {
  return invalidLine(line, [{ path, message }])
}

/** The detail tells the first thing that is wrong; `issues` all of them, each with its line. */
function invalidLine(line: number, issues: { path: string; message: string }[]): Problem {
  const told = issues.map(({ path, message }) => ({
    path: path ? `line ${line}: ${path}` : `line ${line}`,
    message,
  }))
  const [first] = told
  return new Problem('invalid', { ...(first && { detail: `${first.path}: ${first.message}` }), issues: told })
}
