import { describe, expect, it } from 'vitest'
import { limits } from '../../shared/limits.ts'
import { markdownLimits } from '../../shared/markdown-limits.ts'
import { createRenderer } from '../../server/threads/render.ts'

const render = createRenderer({ publicUrl: 'https://forum.example' })
const at = { thread: 'k3v9x2q7ab' }

/** A unit repeated up to a length. */
const fill = (unit: string) => (length: number) =>
  unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
const nest = (open: string, close: string) => (length: number) =>
  `${fill(open)(length / 2)}x${fill(close)(length / 2)}`
const fence = (language: string, unit: string) => (length: number) =>
  `\`\`\`${language}\n${fill(unit)(length)}\n\`\`\``

const hostile: Record<string, (length: number) => string> = {
  quotes: fill('>'),
  'quotes with lists': fill('> - 1. '),
  'quoted lines': fill('>>>>>>>>>>>>>>>>>>>> a\n'),
  lists: (length) => `${fill('- ')(length - 2)}x`,
  'indented lists': (length) =>
    Array.from({ length: Math.sqrt(length) }, (_, n) => `${' '.repeat(n * 2)}- a`).join('\n'),
  brackets: fill('['),
  'nested brackets': nest('[', ']'),
  'nested links': nest('[', '](https://a.example)'),
  'open links': fill('[a]('),
  'open images': fill('!['),
  'nested images': nest('![', '](https://a.example)'),
  stars: fill('*'),
  'nested emphasis': nest('*', '*'),
  'open emphasis': fill('*a **b _c '),
  'inner emphasis': fill('a**b*c '),
  tildes: fill('~~a '),
  'growing backticks': (length) =>
    Array.from({ length: Math.sqrt(length * 2) }, (_, n) => '`'.repeat(n)).join(' '),
  dollars: fill('$'),
  'open formulas': fill(' $a'),
  prices: fill('$5 '),
  'open formula blocks': fill('$$a\n'),
  formulas: fill('$x_1^2$ '),
  'open tags': fill('<a href="'),
  'open autolinks': fill('<https:'),
  entities: fill('&#'),
  backslashes: fill('\\'),
  'post references': fill('#1 '),
  'wide table': (length) =>
    `${fill('|a')(length / 20)}\n${fill('|-')(length / 20)}\n${fill('|\n')(length * 0.9)}`,
  'many tables': fill('a|b\n-|-\n'),
  definitions: fill('[a]: https://b.example\n'),
  'used references': (length) => `[a]: https://b.example\n\n${fill('[a]\n')(length)}`,
  addresses: fill('https://a.example '),
  schemes: fill('http://'),
  'long host': (length) => `https://${fill('a.')(length)}`,
  'long path': (length) => `https://a.example/${fill('(')(length)}`,
  'at signs': fill('a@'),
  fences: fill('```\n'),
  'empty lines': fill('\n'),
  spaces: fill(' a\n'),
  'TeX braces': (length) => `$$${nest('{', '}')(length)}$$`,
  'TeX columns': (length) => `$$\\begin{matrix}${fill('&')(length)}\\end{matrix}$$`,
  'TeX macros': () =>
    `$$\\def\\a{${'x'.repeat(99)}}\\def\\b{${'\\a'.repeat(99)}}\\def\\c{${'\\b'.repeat(99)}}\\c\\c\\c$$`,
  'one line of code': fence('cpp', 'a'),
  'lines of code': fence('csharp', 'a\n'),
  'templates in code': fence('js', '`${'),
  'tags in code': fence('html', '<a '),
  'numbers in code': fence('js', '1 '),
  'markdown as code': fence('md', '[a]('),
}

/** CPU time of this process, in milliseconds: what else the machine does is not in it. The best of a few runs. */
function cost(body: string): number {
  const runs = [1, 2, 3].map(() => {
    const before = process.cpuUsage()
    render(body, at)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  })
  return Math.min(...runs)
}

describe('text made to be costly', () => {
  it.each(Object.entries(hostile))('%s', (_, make) => {
    const large = make(limits.bodyMax).slice(0, limits.bodyMax)
    const { html, text } = render(large, at)
    expect(html.length).toBeLessThan(Math.max(markdownLimits.html, limits.bodyMax * 7))
    expect(text.length).toBeLessThanOrEqual(limits.bodyMax * 2)
    // Four times the text may take some more than four times the time, but not the sixteen of a square.
    const small = cost(make(limits.bodyMax / 4))
    expect(cost(large)).toBeLessThan(Math.max(300, small * 10))
  })

  it('nests no deeper than programs can follow', () => {
    for (const body of [
      hostile['quotes']!(9_999),
      hostile['lists']!(9_999),
      hostile['nested emphasis']!(9_999),
    ]) {
      const { html } = render(body, at)
      let [depth, deepest] = [0, 0]
      for (const [tag] of html.matchAll(/<\/?[a-z][^>]*>/g)) {
        if (/^<(br|hr)/.test(tag)) continue
        depth += tag.startsWith('</') ? -1 : 1
        deepest = Math.max(deepest, depth)
      }
      expect(depth).toBe(0)
      expect(deepest).toBeGreaterThan(5)
      expect(deepest).toBeLessThan(60)
    }
  })

  it('keeps the words that lie too deep', () => {
    expect(render(`${'> '.repeat(100)}deep words`, at).text).toMatch(/deep words$/)
    expect(render(`${'- '.repeat(100)}deep words\n- next`, at).text).toMatch(/deep words next$/)
    expect(render(`${'*'.repeat(99)}deep${'*'.repeat(99)}`, at).text).toContain('deep')
  })

  it('is shown as typed where its HTML would be too large', () => {
    const body = '#1 '.repeat(10_000).trim()
    expect(render(body, at)).toEqual({ html: `<p>${body}</p>\n`, text: body, refs: [], mentions: [] })
  })
})
