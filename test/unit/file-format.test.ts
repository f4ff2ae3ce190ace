import fs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fileLimits,
  formatLine,
  parseLine,
  type FilePost,
  type FileRecord,
} from '../../server/threads/file-format.ts'
import { createFileValidator } from '../../server/threads/file-validator.ts'
import { containsQuote, createRenderer } from '../../server/threads/render.ts'
import { Problem } from '../../shared/errors.ts'
import { limits } from '../../shared/limits.ts'

/** Reads a file as an import does. */
function readFile(text: string): FileRecord[] {
  const validator = createFileValidator()
  const lines = text.split('\n').slice(0, -1)
  const records = lines.map((line, index) => {
    const record = parseLine(line, index + 1)
    validator.accept(record)
    return record
  })
  validator.finish()
  return records
}

const time = '2026-05-04T08:12:00Z'
const header = (posts: number) => ({
  format: 'numinex-thread',
  version: 1,
  thread: { title: 'On margins', createdAt: time },
  posts,
})
const ada = { author: { id: 'ada', name: 'Ada', kind: 'person' } }
const post = (number: number, parent: number | null, more: object = {}) => ({
  post: { number, parent, author: 'ada', createdAt: time, body: `post ${number}`, ...more },
})
const file = (...records: unknown[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')

/** The problem that reading the file ends with. */
function refusal(text: string): Problem {
  try {
    readFile(text)
  } catch (error) {
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject({ code: 'invalid' })
    return error as Problem
  }
  throw new Error('the file was taken')
}

describe('a file', () => {
  test('is taken with all that a post can have', () => {
    const posts = [
      post(1, null, { editedAt: '2026-05-04T08:13:00.123Z', reactions: [{ emoji: '❤️', by: ['ada'] }] }),
      post(2, 1, { quote: { number: 1, text: 'post' }, state: 'complete' }),
      { post: { number: 5, parent: 2, author: 'ada', createdAt: time, state: 'deleted' } },
      post(6, 5, { quote: { number: 5, text: null }, editedAt: null, state: 'stopped' }),
      { post: { number: 7, parent: 1, author: 'ada', createdAt: time, state: 'failed' } },
    ]
    const whole = { ...header(5), thread: { ...header(5).thread, id: 'k3v9x2q7ab', url: null, locked: true } }
    expect(readFile(file(whole, ada, ...posts))).toEqual([whole, ada, ...posts])
  })

  const valid = file(header(2), ada, post(1, null), post(2, 1))
  const cases: [what: string, text: string, message: string | RegExp][] = [
    ['that is empty', '', 'line 1: the file ends before its header'],
    ['that is not JSON', valid.replace('"body":"post 2"', '"body":'), /^line 4: is not JSON/],
    ['cut off within a line', `${valid.slice(0, -20)}\n`, /^line 4: is not JSON/],
    [
      'cut off between lines',
      file(header(2), ada, post(1, null)),
      'line 4: the file ends after 1 of 2 posts',
    ],
    ['with an empty line', valid.replace('\n', '\n\n'), 'line 2: is empty'],
    ['with a line of something else', file(header(1), 7), /^line 2: is neither the header nor/],
    ['without a header', file(ada), /^line 1: comes before the header/],
    ['with two headers', file(header(1), header(1)), 'line 2: format: is a second header'],
    ['of a later version', file({ ...header(1), version: 2 }), /^line 1: version: must be 1/],
    ['of another format', file({ ...header(1), format: 'mbox' }), /^line 1: format: /],
    [
      'with more posts than its header says',
      file(header(1), ada, post(1, null), post(2, 1)),
      /^line 4: post: is one more/,
    ],
    [
      'with a field that nobody knows',
      file(header(1), ada, post(1, null, { mood: 'x' })),
      /^line 3: post: .*"mood"/,
    ],
    [
      'with an author used before the definition',
      file(header(1), post(1, null)),
      'line 2: post.author: ada is not defined on a line before',
    ],
    ['with an author defined twice', file(header(1), ada, ada), 'line 3: author.id: ada was defined before'],
    [
      'with an author of no kind',
      file(header(1), { author: { ...ada.author, kind: 'bot' } }),
      /^line 2: author\.kind: /,
    ],
    [
      'with a name that is too long',
      file(header(1), { author: { ...ada.author, name: 'x'.repeat(limits.nameMax + 1) } }),
      /^line 2: author\.name: /,
    ],
    [
      'whose root has a parent',
      file(header(1), ada, post(1, 1)),
      /^line 3: post\.parent: the first post is the root/,
    ],
    [
      'whose root is not number 1',
      file(header(1), ada, post(2, null)),
      /^line 3: post\.number: the first post has number 1/,
    ],
    [
      'with two roots',
      file(header(2), ada, post(1, null), post(2, null)),
      /^line 4: post\.parent: only the first post/,
    ],
    [
      'with a parent that is not there',
      file(header(2), ada, post(1, null), post(4, 3)),
      'line 4: post.parent: there is no post 3 before this one',
    ],
    [
      'with a post that is its own parent',
      file(header(2), ada, post(1, null), post(2, 2)),
      /^line 4: post\.parent: there is no post 2/,
    ],
    [
      'with posts in the wrong order',
      file(header(3), ada, post(1, null), post(3, 1), post(2, 1)),
      /^line 5: post\.number: 2 comes after 3/,
    ],
    [
      'with a number used twice',
      file(header(3), ada, post(1, null), post(2, 1), post(2, 1)),
      'line 5: post.number: 2 was used before',
    ],
    [
      'with a number beyond the limit',
      file(header(2), ada, post(1, null), post(fileLimits.numberMax + 1, 1)),
      /^line 4: post\.number: /,
    ],
    [
      'with a quote of a post that is not there',
      file(header(1), ada, post(1, null, { quote: { number: 1, text: 'x' } })),
      /^line 3: post\.quote\.number: there is no post 1/,
    ],
    [
      'that keeps the text of a deleted post in a quote',
      file(
        header(2),
        ada,
        { post: { number: 1, parent: null, author: 'ada', createdAt: time, state: 'deleted' } },
        post(2, 1, { quote: { number: 1, text: 'x' } }),
      ),
      /^line 4: post\.quote\.text: post 1 was deleted/,
    ],
    [
      'that keeps the text of a deleted post',
      file(header(1), ada, post(1, null, { state: 'deleted' })),
      /^line 3: post: .*"body"/,
    ],
    [
      'with a post that is still being written',
      file(header(1), ada, post(1, null, { state: 'streaming' })),
      /^line 3: post\.state: /,
    ],
    ['with an empty post', file(header(1), ada, post(1, null, { body: ' \n' })), /^line 3: post\.body: /],
    [
      'with a post that is too long',
      file(header(1), ada, post(1, null, { body: 'x'.repeat(limits.bodyMax + 1) })),
      /^line 3: post\.body: .*40000/,
    ],
    [
      'with a quote that is too long',
      file(
        header(2),
        ada,
        post(1, null),
        post(2, 1, { quote: { number: 1, text: 'x'.repeat(limits.quoteMax + 1) } }),
      ),
      /^line 4: post\.quote\.text: .*2000/,
    ],
    [
      'with a title that is too long',
      file({ ...header(1), thread: { title: 'x'.repeat(limits.titleMax + 1), createdAt: time } }),
      /^line 1: thread\.title: .*200/,
    ],
    [
      'with an address that is none',
      file({ ...header(1), thread: { ...header(1).thread, url: 'javascript:alert(1)' } }),
      /^line 1: thread\.url: /,
    ],
    [
      'with NUL in a text',
      file(header(1), ada, post(1, null, { body: 'a\0b' })),
      /^line 3: post\.body: contains control characters/,
    ],
    [
      'with half a surrogate pair',
      file(header(1), ada, post(1, null, { body: 'a\ud800b' })),
      /^line 3: post\.body: contains .*broken Unicode/,
    ],
    [
      'with a title that turns its direction',
      file({ ...header(1), thread: { title: 'a\u202eb', createdAt: time } }),
      /^line 1: thread\.title: contains control/,
    ],
    [
      'with a time of another zone',
      file(header(1), ada, post(1, null, { createdAt: '2026-05-04T08:12:00+02:00' })),
      /^line 3: post\.createdAt: must be an ISO 8601 time in UTC/,
    ],
    [
      'with a day that does not exist',
      file(header(1), ada, post(1, null, { createdAt: '2026-02-30T08:12:00Z' })),
      /^line 3: post\.createdAt: must be/,
    ],
    [
      'with a reaction that is no emoji',
      file(header(1), ada, post(1, null, { reactions: [{ emoji: 'ok', by: ['ada'] }] })),
      /^line 3: post\.reactions\.0\.emoji: /,
    ],
    [
      'with a reaction by nobody',
      file(header(1), ada, post(1, null, { reactions: [{ emoji: '👍', by: [] }] })),
      /^line 3: post\.reactions\.0\.by: /,
    ],
    [
      'with a reaction by a stranger',
      file(header(1), ada, post(1, null, { reactions: [{ emoji: '👍', by: ['bob'] }] })),
      'line 3: post.reactions.0.by: bob is not defined on a line before',
    ],
    [
      'with a reaction twice by one',
      file(header(1), ada, post(1, null, { reactions: [{ emoji: '👍', by: ['ada', 'ada'] }] })),
      /^line 3: post\.reactions\.0\.by: names an author twice/,
    ],
    [
      'with an emoji twice',
      file(
        header(1),
        ada,
        post(1, null, {
          reactions: [
            { emoji: '👍', by: ['ada'] },
            { emoji: '👍', by: ['ada'] },
          ],
        }),
      ),
      /^line 3: post\.reactions\.1\.emoji: 👍 is listed twice/,
    ],
    [
      'with a line that is too long',
      `${' '.repeat(fileLimits.lineMax)}1\n`,
      /^line 1: is longer than 16777216/,
    ],
  ]

  test.each(cases)('%s is refused, and the line named', (_, text, message) => {
    const { detail, issues } = refusal(text)
    expect(detail).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
    expect(issues?.[0]).toEqual({ path: expect.stringMatching(/^line \d+/), message: expect.any(String) })
  })

  test('with several faults in a line names them all', () => {
    const { issues } = refusal(file(header(1), ada, post(1, null, { body: 7, createdAt: 'today' })))
    expect(issues?.map(({ path }) => path).sort()).toEqual(['line 3: post.body', 'line 3: post.createdAt'])
  })
})

/** Any thread that the format can hold: gaps in the numbers, tombstones, authors defined as late as can be. */
const threads = fc
  .record({
    title: fc.constantFrom('On margins', 'Ränder 📎', 'x'.repeat(limits.titleMax)),
    locked: fc.option(fc.boolean(), { nil: undefined }),
    posts: fc.array(
      fc.record({
        gap: fc.integer({ min: 1, max: 3 }),
        parent: fc.nat(),
        author: fc.constantFrom('ada', 'bob', 'explain'),
        body: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((text) => `¶ ${text} ¶`),
        state: fc.constantFrom(undefined, 'complete', 'stopped', 'deleted'),
        quote: fc.option(fc.nat()),
        reactors: fc.uniqueArray(fc.constantFrom('ada', 'bob', 'explain'), { minLength: 1 }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  })
  .map(({ title, locked, posts }) => {
    const records: FileRecord[] = []
    const defined = new Set<string>()
    const define = (id: string) => {
      if (!defined.has(id))
        records.push({ author: { id, name: id, kind: id === 'explain' ? 'ai' : 'person' } })
      defined.add(id)
    }
    const before: FilePost[] = []
    for (const { gap, parent, author, body, state, quote, reactors } of posts) {
      const number = (before.at(-1)?.number ?? 1 - gap) + gap
      const place = {
        number,
        parent: before.length === 0 ? null : before[parent % before.length]!.number,
        author,
        createdAt: new Date(Date.UTC(2026, 0, 1) + number).toISOString(),
      }
      const quoted = quote === null ? undefined : before[quote % Math.max(before.length, 1)]
      const next: FilePost =
        state === 'deleted'
          ? { ...place, state }
          : {
              ...place,
              body,
              ...(state && { state }),
              ...(quoted && {
                quote: { number: quoted.number, text: quoted.state === 'deleted' ? null : 'a text' },
              }),
              reactions: [{ emoji: '👍', by: reactors }],
            }
      define(author)
      if (state !== 'deleted') reactors.forEach(define)
      records.push({ post: next })
      before.push(next)
    }
    const thread = { title, createdAt: time, ...(locked !== undefined && { locked }) }
    return [{ format: 'numinex-thread', version: 1, thread, posts: posts.length } as const, ...records]
  })

describe('any thread', () => {
  test('comes back as it was written', () => {
    fc.assert(
      fc.property(threads, (records) => {
        expect(readFile(records.map(formatLine).join(''))).toEqual(records)
      }),
    )
  })

  test('is refused when a line of it is missing, doubled or moved before its predecessor', () => {
    const damage = fc.constantFrom('drop', 'double', 'swap')
    fc.assert(
      fc.property(threads, damage, fc.nat(), (records, kind, at) => {
        const lines = records.map(formatLine)
        const index = kind === 'swap' ? 1 + (at % (lines.length - 1)) : at % lines.length
        const line = lines[index]!
        // Two definitions of authors may change places, and one may come earlier than it must.
        fc.pre(!(kind === 'swap' && index > 1 && line.startsWith('{"author"')))
        if (kind === 'drop') lines.splice(index, 1)
        else if (kind === 'double') lines.splice(index, 0, line)
        else lines.splice(index - 1, 2, line, lines[index - 1]!)
        refusal(lines.join(''))
      }),
    )
  })
})

describe('the demo thread', () => {
  const records = readFile(
    fs.readFileSync(path.join(import.meta.dirname, '../../server/threads/demo.jsonl'), 'utf8'),
  )
  const authors = new Map(
    records.flatMap((record) => ('author' in record ? [[record.author.id, record.author]] : [])),
  )
  const posts = records.flatMap((record) =>
    'post' in record && record.post.state !== 'deleted' ? [record.post] : [],
  )
  const byNumber = new Map(posts.map((each) => [each.number, each]))
  const kindOf = (number: number) => authors.get(byNumber.get(number)!.author)!.kind
  const [head] = records
  const id = head && 'format' in head ? head.thread.id : undefined

  const render = createRenderer({ publicUrl: 'http://localhost:3000' })

  function depthOf({ parent }: { parent: number | null }): number {
    return parent === null ? 0 : 1 + depthOf(byNumber.get(parent)!)
  }

  test('has 22 posts without gaps, six and more deep', () => {
    expect(posts.map(({ number }) => number)).toEqual(Array.from({ length: 22 }, (_, index) => index + 1))
    expect(Math.max(...posts.map(depthOf))).toBeGreaterThanOrEqual(6)
  })

  test('is in the order of time', () => {
    const times = posts.map(({ createdAt }) => Date.parse(createdAt))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    for (const { createdAt, editedAt } of posts) {
      if (editedAt) expect(Date.parse(editedAt)).toBeGreaterThan(Date.parse(createdAt))
    }
  })

  test('is written by people, a guest and several personas', () => {
    const kinds = [...authors.values()].map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'person').length).toBeGreaterThanOrEqual(2)
    expect(kinds).toContain('guest')
    const personas = [...authors.values()].filter(({ kind }) => kind === 'ai').map(({ name }) => name)
    expect(personas.sort()).toEqual(['Challenge', 'Check', 'Compare', 'Explain'])
  })

  test('has three answers of different personas, side by side, to one question', () => {
    const answers = new Map<number | null, typeof posts>()
    for (const each of posts) {
      if (kindOf(each.number) !== 'ai') continue
      answers.set(each.parent, [...(answers.get(each.parent) ?? []), each])
    }
    const widest = [...answers.values()].sort((a, b) => b.length - a.length)[0]!
    expect(new Set(widest.map(({ author }) => author)).size).toBe(3)
    const stances = widest.map(({ body }) => /^\*\*Stance: (\w+)/.exec(body!)?.[1])
    expect(new Set(stances)).toEqual(new Set(['against', 'for', 'it']))
  })

  const ingredients: [string, RegExp][] = [
    ['a heading', /^## /m],
    ['a sub-heading', /^### /m],
    ['a list in a list', /^\d\. .*\n {3}- /m],
    ['a block quote', /^> /m],
    ['a table', /^\| --- \|/m],
    ['TeX in a line', /(?<!\$)\$[^$\n]+\$(?!\$)/],
    ['TeX as a block', /^\$\$\n[^$]+\n\$\$$/m],
    ['a block of code', /^```python\n[^]+?\n```$/m],
    ['a list of tasks, done and not done', /^- \[x\] [^]*^- \[ \] /m],
  ]
  test.each(ingredients)('has %s', (_, pattern) => {
    expect(posts.filter(({ body }) => pattern.test(body!)).length).toBeGreaterThan(0)
  })

  test('embeds a post of its own, and a page and a post that cannot be found', () => {
    const refs = posts.flatMap(({ body }) => render(body!, { thread: id }).refs)
    // Names under .example are reserved: no page will ever be there.
    expect(refs).toEqual([
      { kind: 'link', url: expect.stringMatching(/^https:\/\/\w+\.example\//) },
      { kind: 'post', thread: 'zzzzzzzzzz', number: 1 },
      { kind: 'post', thread: id, number: 5 },
    ])
    expect(byNumber.has(5)).toBe(true)
  })

  test('has reactions, quotes and an edited post', () => {
    expect(posts.filter(({ reactions }) => reactions).length).toBeGreaterThan(10)
    expect(posts.filter(({ quote }) => quote).length).toBeGreaterThanOrEqual(5)
    expect(posts.filter(({ editedAt }) => editedAt)).toHaveLength(1)
  })

  test('quotes what the quoted posts say', () => {
    for (const { number, quote } of posts) {
      if (!quote) continue
      const { body } = byNumber.get(quote.number)!
      expect(body, `quoted by ${number}`).toContain(quote.text)
      // The rule that the API has for quotes.
      expect(containsQuote(render(body!, { thread: id }).text, quote.text!)).toBe(true)
    }
  })

  test('cites posts that stand before the citing one', () => {
    const citations = posts.flatMap(({ number, body }) =>
      [...body!.matchAll(/\[#(\d+)\]/g)].map((match) => [number, Number(match[1])] as const),
    )
    expect(citations.length).toBeGreaterThan(10)
    for (const [citing, cited] of citations) expect(cited).toBeLessThan(citing)
  })
})
