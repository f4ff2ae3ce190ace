// @vitest-environment jsdom
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDrawing } from '../../client/stream/drawing.ts'
import { createMarkdown } from '../../shared/markdown.ts'
import { createHighlighter } from '../../shared/render-code.ts'
import { renderMath } from '../../shared/render-math.ts'
import { streamTexts } from '../helpers/stream-texts.ts'

const at = { thread: 'k3v9x2q7ab', publicUrl: 'https://forum.example' }
const extras = { highlight: createHighlighter(), math: renderMath }
const server = createMarkdown({ ...at, ...extras })
const options = { ...at, extras, onLoaded: () => {} }

/** The server's HTML as a page has it. */
function whole(text: string): string {
  const element = document.createElement('div')
  element.innerHTML = server.render(text, at).html
  return written(element)
}

/** An element's HTML. The order of attributes, which nobody sees, is the same in all. */
function written(element: Element): string {
  const copy = element.cloneNode(true) as Element
  for (const one of copy.querySelectorAll('*')) {
    const attributes = [...one.attributes].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    for (const { name } of attributes) one.removeAttribute(name)
    for (const attribute of attributes) one.setAttributeNode(attribute)
  }
  return copy.innerHTML
}

function drawAll(drawing: ReturnType<typeof createDrawing>, text: string): void {
  while (!drawing.draw(text));
}

function grown(pieces: readonly string[], onDrawn: (into: HTMLElement) => void = () => {}): string {
  const into = document.createElement('div')
  const drawing = createDrawing(into, options)
  let text = ''
  for (const piece of pieces) {
    text += piece
    drawAll(drawing, text)
    onDrawn(into)
  }
  drawing.finish(text)
  return written(into)
}

function inPieces(text: string, size: number): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
}

const signs = (
  '< > & " \' ` ``` ~~~ ~~ * ** _ # ## #1 #17 [ ] ( ) ![ ]( ]: [a] [a]: [b][a] ]( | - + = : :- -: \\ $ $$ ^ { } ; / ! ? . , 1. 3) - [x] ' +
  'https://a.example/b <https://x.example> /t/k3v9x2q7ab /t/k3v9x2q7ab/3 &lt; &copy; \\frac{a}{b} math js word 漢字 é \u0000'
).split(' ')
const breaks = [' ', ' ', '\n', '\n', '\n\n', '    ', '  ', '\t', '\r\n', '\r']
const lines = [
  '',
  '',
  'text',
  'more *text*',
  '# heading',
  '- item',
  '* other',
  '  - nested',
  '    - deeper',
  '1. one',
  '2) two',
  '> quote',
  '> - quoted item',
  '> > deep',
  '>',
  '```js',
  '```',
  '~~~',
  '    code',
  '  go on',
  '$$',
  'x^2 $$',
  '$$ y_1 $$',
  'a $z$ b',
  '| a | b |',
  '|---|:-:|',
  '| 1 | 2 |',
  'a | b',
  '- | -',
  '---',
  '===',
  '***',
  '[ref] and [other][ref]',
  '[ref]: https://ref.example "title"',
  '[ref]: <https://first.example>',
  '> [other]: /t/k3v9x2q7ab/2',
  "'a title",
  "goes on'",
  '[other]:',
  'https://alone.example/page',
  '/t/k3v9x2q7ab/4',
  '- [ ] task',
  '\\',
]
const anyText = fc.oneof(
  fc.array(fc.constantFrom(...signs, ...breaks, ...breaks), { maxLength: 60 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...lines), { maxLength: 25 }).map((parts) => parts.join('\n')),
  fc
    .array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom('\n', '\n', '\n\n', '\r\n', ' ')), {
      maxLength: 25,
    })
    .map((parts) => parts.flat().join('')),
)
/** A text, cut anywhere. */
const inAnyPieces = fc.tuple(anyText, fc.array(fc.nat(), { maxLength: 30 })).map(([text, cuts]) => {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].toSorted((a, b) => a - b)
  return places.slice(1).map((to, index) => text.slice(places[index], to))
})

describe('a text that has grown', () => {
  test('looks as the server renders it, however it came', () => {
    fc.assert(
      fc.property(inAnyPieces, (pieces) => {
        expect(grown(pieces)).toBe(whole(pieces.join('')))
      }),
      { numRuns: 1_500 },
    )
  })

  test.each(Object.entries(streamTexts))('%s: in pieces of any size', (_, text) => {
    for (const size of [1, 4, 50, 10_000]) expect(grown(inPieces(text, size))).toBe(whole(text))
  })

  test.each([
    ['items', '- *item* [a] and `code`\n'],
    ['quoted lines', '> quoted [a]\n'],
    ['lines of code', '    const a = 1\n'],
    ['rows', '| a | b |\n|---|---|\n', '| 1 | [a] |\n'],
    ['lines of text', 'text [a] $x$\n'],
    ['paragraphs', '[a] and [b]\n\n'],
  ])('looks so with long blocks of %s, too', (_, first, line = first) => {
    const long = first + line.repeat(2_600 / line.length)
    const text = `${long}\nthen\n\n# Heading\n[b]: https://b.example\n\n[a]: https://a.example\n\nend\n\nend\n`
    expect(grown(inPieces(text, 130))).toBe(whole(text))
  })
})

describe('a text that grows', () => {
  const { prose, lists, code, tables } = streamTexts
  test.each(Object.entries({ prose, lists, code, tables }))(
    '%s: shows nothing that goes again',
    (_, text) => {
      const read = (into: HTMLElement) => into.textContent.replace(/\s+/g, '')
      const shown: string[] = []
      grown(inPieces(text, 1), (into) => shown.push(read(into)))
      const last = document.createElement('div')
      last.innerHTML = whole(text)
      const wrong = shown.filter((one) => !read(last).startsWith(one))
      expect(wrong.map((one) => one.slice(-40))).toEqual([])
      expect(shown.some((one) => one.length > read(last).length / 2)).toBe(true)
    },
  )
})
