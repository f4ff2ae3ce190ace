import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRenderer } from '../../server/threads/render.ts'
import { createMarkdown } from '../../shared/markdown.ts'
import { createReader, violations } from '../security/allow-list.ts'

const thread = 'k3v9x2q7ab'
const render = createRenderer({ publicUrl: 'https://forum.example' })
const preview = createMarkdown({ publicUrl: 'https://forum.example' })
const read = createReader()

const pieces = (
  '< > & " \' ` ``` ~~~ ~~ * ** _ # ## #1 #17 [ ] ( ) ![ ]( ]: ]( ![]( [](  | - + = : :- -: \\ $ $$ ^ { } ; / // % @ ! ? . , 1. 3) - [x] ' +
  'https://a.example/b http://x https://forum.example/t/k3v9x2q7ab/2 /t/k3v9x2q7ab mailto:a@b.c javascript:x data:text/html, ' +
  '<script> </script> <img src=x onerror=x> <svg onload=x> <!-- --> <a href= &lt; &#x3c; &#0; &colon; \\frac{a}{b} \\text{ \\href{x}{y} \\color{ ' +
  'math js html word Straße 漢字 é \u202e \u0000 \ufffd \ud800 \u2028'
).split(' ')

const markdownLike = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...pieces) },
      fc.constantFrom(' ', '\n', '\n\n', '    ', '\t'),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''))
const anyText = fc.oneof(
  { weight: 3, arbitrary: markdownLike },
  fc.string({ unit: 'binary', maxLength: 300 }),
)

const lettersAndNumbers = (text: string) => text.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, '')

describe('any text', () => {
  it('renders to what is allowed alone, on the server and in a preview', () => {
    fc.assert(
      fc.property(anyText, (body) => {
        expect(violations(read(render(body, { thread }).html))).toEqual([])
        expect(violations(read(preview.render(body, { thread }).html))).toEqual([])
      }),
      { numRuns: 1_500 },
    )
  })

  it('has as its plain text what the page reads', () => {
    fc.assert(
      fc.property(anyText, (body) => {
        const { html, text } = render(body, { thread })
        expect(lettersAndNumbers(text)).toBe(lettersAndNumbers(read(html).textContent))
        expect(text).not.toMatch(/\s\s|^\s|\s$/)
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps every word of plain paragraphs', () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,12}$/), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(words, (list) => {
        expect(render(list.join(' '), { thread }).text).toBe(list.join(' '))
      }),
    )
  })

  it('numbers its embeds as its refs are, and renders the same each time', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constantFrom('https://a.example/b', '/t/k3v9x2q7ab/2', '<https://c.example>'),
            markdownLike,
          ),
          { maxLength: 15 },
        ),
        (parts) => {
          const body = parts.join('\n')
          const { html, refs, mentions } = render(body, { thread })
          const numbers = [...read(html).querySelectorAll(':scope > p.embed')].map((p) =>
            Number(p.getAttribute('data-embed')),
          )
          expect(numbers).toEqual(refs.map((_, n) => n))
          expect(render(body, { thread })).toEqual({ html, text: expect.any(String), refs, mentions })
        },
      ),
      { numRuns: 500 },
    )
  })
})
