import { describe, expect, it } from 'vitest'
import { containsQuote, createRenderer } from '../../server/threads/render.ts'

const render = createRenderer({ publicUrl: 'https://forum.example' })
const html = (body: string) => render(body, { thread: 'k3v9x2q7ab' }).html.trim()
const text = (body: string) => render(body, { thread: 'k3v9x2q7ab' }).text
const code = (language: string, source: string) => html(`\`\`\`${language}\n${source}\n\`\`\``)

describe('code', () => {
  it('is coloured by its language, or an alias of it', () => {
    const expected =
      '<span class="hljs-keyword">const</span> a = <span class="hljs-string">&quot;&lt;b&gt;&quot;</span>\n</code></pre>'
    expect(code('javascript', 'const a = "<b>"')).toBe(
      `<pre tabindex="0"><code class="language-javascript hljs">${expected}`,
    )
    expect(code('js', 'const a = "<b>"')).toBe(`<pre tabindex="0"><code class="language-js hljs">${expected}`)
  })

  it.each(
    'bash sh c clojure cpp c++ csharp cs c# css diff dockerfile elixir go graphql haskell ini toml java json julia kotlin tex lua makefile matlab ocaml perl php powershell py r rb rust scala sql swift ts tsx jsx html xml svg yaml yml'.split(
      ' ',
    ),
  )('knows %s', (language) => {
    expect(code(language, '"a" 1 + # - { <b>x</b> } // if \\alpha: ++ \n+ x\n')).toMatch(/class="hljs-/)
  })

  it('is shown plain in other languages and in lines that are too long', () => {
    expect(code('nonsense', 'const <b>')).toBe(
      '<pre tabindex="0"><code class="language-nonsense hljs">const &lt;b&gt;\n</code></pre>',
    )
    expect(code('js', `const a = ${'1'.repeat(200)}`)).not.toContain('<span')
  })
})

describe('formulas', () => {
  it('become MathML', () => {
    expect(html('$\\frac{a}{2}$')).toBe(
      '<p><span class="math"><math><mfrac><mi>a</mi><mn>2</mn></mfrac></math></span></p>',
    )
    expect(html('$$x$$')).toBe(
      '<div class="math math-display" tabindex="0"><math class="tml-display" display="block"><mi>x</mi></math></div>',
    )
  })

  it.each([
    '\\begin{matrix}a&b\\\\c&d\\end{matrix}',
    '\\begin{align}a&=b\\\\c&=d\\end{align}',
    '\\begin{array}{c|c}a&b\\\\\\hline c&d\\end{array}',
    '\\boxed{x}',
    '\\color{red}x',
    '\\colorbox{red}{x}',
    '\\cancel{x}',
    '\\underbrace{a}_{b}',
    '\\tag{1} x',
    '\\overrightarrow{AB}',
    '\\textbf{a}',
    '\\hat y',
  ])('%s has no style attribute', (tex) => {
    const rendered = html(`$$${tex}$$`)
    expect(rendered).toContain('<math')
    expect(rendered).not.toMatch(/ style=/)
  })

  it('keep what styles said where it matters', () => {
    expect(html('$\\color{red}x$')).toContain('<mi mathcolor="#ff0000">x</mi>')
    expect(html('$\\boxed{x}$')).toContain('class="math-box"')
    expect(html('$\\begin{array}{c|c}a&b\\end{array}$')).toContain('math-rule-right')
  })

  it.each([
    '\\href{https://a.example}{x}',
    '\\frac{',
    '\\includegraphics{a.png}',
    '\\nonsense',
    '{'.repeat(499),
  ])('%s is shown as its source', (tex) => {
    expect(html(`$${tex}$`)).toBe(`<p><span class="math"><code class="math-error">${tex}</code></span></p>`)
  })

  it('cannot be larger than a page', () => {
    expect(html('$\\rule{900em}{900em}$')).toMatch(/width="20em" height="20em"/)
    expect(html('$\\hspace{-900em}$')).not.toMatch(/-\d{2}/)
  })
})

describe('a quote', () => {
  const post = text(
    '# Title\n\nIt *costs* **$5**: “naïve” ＡＢＣ.\n\n- one\n- two\n\n```js\nlet x = 1\n```\n\nSo $\\frac{a}{b}$ holds.',
  )

  it.each([
    'It costs $5',
    'IT COSTS',
    'costs\n  $5',
    'costs 5 "naïve"',
    'nai\u0308ve ABC',
    'one\n• two',
    'let x=1',
    'Title It',
    'So a b holds',
    'So a/b holds',
    post,
  ])('%j is in the post', (quoted) => expect(containsQuote(post, quoted)).toBe(true))

  it.each(['It costs $6', 'two one', 'naive', 'costs nothing', '', '“…”', '🎉', '\\frac', `${post} more`])(
    '%j is not',
    (quoted) => expect(containsQuote(post, quoted)).toBe(false),
  )

  it('may hold the commands of a formula', () => {
    expect(containsQuote(post, 'So $\\frac{a}{b}$ holds')).toBe(true)
  })
})
