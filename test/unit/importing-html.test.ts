import { describe, expect, test } from 'vitest'
import { escapeReferences } from '../../server/importing/html-escape.ts'
import { htmlToMarkdown } from '../../server/importing/html-to-markdown.ts'
import { splitBody } from '../../server/importing/split-body.ts'
import { createRenderer } from '../../server/threads/render.ts'
import { createRandom } from '../helpers/random.ts'

const render = createRenderer({ publicUrl: 'http://numinex.test' })
const shown = (html: string) => render(htmlToMarkdown({ html }), { thread: 'k3v9x2q7ab' })

describe('HTML as Markdown', () => {
  test.each([
    ['<p>One</p><p>two <b>bold</b> and <i>it</i></p>', 'One\n\ntwo **bold** and *it*'],
    ['a<p>b<p>c', 'a\n\nb\n\nc'],
    ['one<br>two<br/>three', 'one\ntwo\nthree'],
    ['<b> spaced </b>word<b></b><i> </i>', '**spaced** word'],
    ['<b>one<p>two</p></b>', '**one**\n\n**two**'],
    ['<a href="https://a.example/x(1)">go [there]</a>', '[go \\[there\\]](https://a.example/x%281%29)'],
    // As Disqus shortens addresses.
    [
      '<a href="http://blogs.example/b/b8/long.aspx" title="x">http://blogs.example/b/b8/...</a>',
      '<http://blogs.example/b/b8/long.aspx>',
    ],
    ['<a href="javascript:alert(1)">me</a> <a href="/rel">rel</a>', 'me rel'],
    ['<a href="https://user:pass@bank.example/">bank</a>', 'bank'],
    ['<img src="https://a.example/i.png" alt="a *cat*">', '![a \\*cat\\*](https://a.example/i.png)'],
    ['<a href="https://a.example/"><img src="https://a.example/i.png"></a>', '[image](https://a.example/)'],
    ['<blockquote><p>q1</p><blockquote>q2</blockquote></blockquote>r', '> q1\n>\n> > q2\n\nr'],
    ['<ul><li>a<li>b<ul><li>c</ul></ul><ol><li>x</li><li>y</li></ol>', '- a\n- b\n\n  - c\n\n1. x\n2. y'],
    [
      '<pre><code class="language-js">let a = `x`\n\n  &lt;b&gt;*</code></pre>',
      '```js\nlet a = `x`\n\n  <b>*\n```',
    ],
    ['<pre>```\ninner</pre>', '````\n```\ninner\n````'],
    ['use <code>a`b *c*</code>', 'use ``a`b *c*``'],
    ['<h2>Big &amp; <i>bad</i></h2>text', '## Big & *bad*\n\ntext'],
    ['a<hr>b', 'a\n\n***\n\nb'],
    ['<s>no</s> <u>yes</u>', '~~no~~ yes'],
    ['<script>alert(1)</script><style>p{}</style>seen<noscript>x</noscript>', 'seen'],
    ['<p>nul\0l &#0; \ud800</p>', 'null \ufffd'],
  ])('%s', (html, markdown) => {
    expect(htmlToMarkdown({ html })).toBe(markdown)
  })

  test('keeps line breaks where they are those of the text', () => {
    expect(htmlToMarkdown({ html: 'one\ntwo\n\n\nthree <b>x</b>\n', lines: true })).toBe(
      'one\ntwo\n\nthree **x**',
    )
    expect(htmlToMarkdown({ html: 'one\ntwo\n\nthree' })).toBe('one two three')
  })

  test('relative addresses start where the text came from', () => {
    const base = 'https://news.example/'
    expect(htmlToMarkdown({ html: '<a href="item?id=1">that</a>', base })).toBe(
      '[that](https://news.example/item?id=1)',
    )
  })

  test.each([
    '# no heading',
    '#17 and (#3)',
    '1. no list',
    '- no list',
    '> no quote',
    '* no list',
    '+ 1',
    '=====',
    '-----',
    '| a | b |',
    'a_b_c and _d_ and __e__',
    '*x* **y**',
    '~~z~~ ~~~',
    '`code` ``x',
    '[a](https://b.example)',
    '![a](b)',
    '<b>tag</b>',
    '&amp; &copy;',
    '$x$ and $$y$$',
    '\\* \\\\',
    '10) x',
    'https://a.example/x_y_(z)_*b*, and more',
    'www.a.example',
    'a  \n b',
    '    four spaces',
    '::: x',
    '[x] done',
    '@ada and @explain',
    '/t/k3v9x2q7ab/3',
  ])('shows the text “%s” as it was typed', (text) => {
    const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    const { text: read, html: markup } = shown(html)
    expect(read).toBe(text.replace(/\s+/g, ' ').trim())
    expect(markup).not.toMatch(/<(h\d|ul|ol|blockquote|em|strong|s|code|table|hr|math)\b|post-ref/)
  })

  test('shows the same text, whatever it is (seeded)', () => {
    const seed = 20_261
    const random = createRandom(seed)
    const bits = [
      '*',
      '_',
      '`',
      '#',
      '1',
      '. ',
      ' ',
      '\\',
      '[',
      ']',
      '(',
      ')',
      '<',
      '>',
      '&',
      '~',
      '$',
      '-',
      '+',
      '|',
      '!',
      'a',
      'B',
      'é',
      '客',
      '\n',
      '=',
      ':',
      '"',
      'https://x.example/a',
    ]
    for (let round = 0; round < 1_500; round++) {
      const text = Array.from({ length: 1 + random.int(14) }, () => random.pick(bits)).join('')
      const html = `<p>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</p>`
      expect(
        shown(html).text.replace(/\s+/g, ' '),
        `seed ${seed}, round ${round}: ${JSON.stringify(text)}`,
      ).toBe(text.replace(/\s+/g, ' ').trim())
    }
  })

  test.each([
    ['elements in elements', '<div>'.repeat(300_000) + 'deep'],
    ['emphasis in emphasis', '<b><i>'.repeat(150_000) + 'deep'],
    ['quotes in quotes', '<blockquote>'.repeat(200_000) + 'deep'],
    ['lists in lists', '<ul><li>'.repeat(150_000) + 'deep'],
    ['links that do not end', '<a href="https://a.example">'.repeat(80_000) + 'deep'],
    ['white space', `a${' '.repeat(1_500_000)}b deep`],
    ['line breaks', `a${'\n \n'.repeat(400_000)}deep`],
    ['punctuation', `https://a.example/${'.'.repeat(1_000_000)} deep`],
    ['markers', '*_`[~$#&'.repeat(150_000) + 'deep'],
    ['tags that are not closed', '<p '.repeat(400_000) + '>deep'],
  ])('takes no longer than it must: %s', (_, html) => {
    const started = performance.now()
    expect(htmlToMarkdown({ html }).length).toBeGreaterThan(3)
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  test('quotes nest as deep as anyone can read', () => {
    const markdown = htmlToMarkdown({ html: '<blockquote>'.repeat(50) + 'deep' })
    expect(markdown).toBe('> '.repeat(12) + 'deep')
  })

  test('what is hostile is harmless when it is shown', () => {
    const html = [
      '<img src=x onerror=alert(1)><svg onload=alert(1)><math><mi>x</mi></math></svg>',
      '<a href=" java\nscript:alert(1)">a</a><a href="data:text/html,x">b</a><iframe src="javascript:alert(1)"></iframe>',
      '&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert&#40;1&#41;) <plaintext>rest <form action=x>',
    ].join('')
    const markup = shown(html).html
    expect(markup).not.toMatch(/<(?!\/?(p|a|br|code|em|strong)\b)/)
    expect(markup).not.toMatch(/href="(?!https?:)|onerror|onload=/)
    expect(shown(html).text).toContain('<script>alert(1)</script>')
  })
})

describe('Markdown from elsewhere', () => {
  test('its #17 is none of ours, but in code it stays as it is', () => {
    const text = 'See #17 and `#18`, (#19) x#20\n\n```\n#21\n```\n\n    #22\n\n# Heading'
    expect(escapeReferences(text)).toBe(
      'See \\#17 and `#18`, (\\#19) x#20\n\n```\n#21\n```\n\n    #22\n\n# Heading',
    )
    expect(render(escapeReferences(text), { thread: 'k3v9x2q7ab' }).html).not.toContain('post-ref')
  })
})

describe('a long text', () => {
  test('comes in pieces that hold all of it, cut between paragraphs', () => {
    const paragraphs = Array.from({ length: 90 }, (_, i) => `Paragraph ${i} ${'word '.repeat(i)}`.trim())
    const pieces = splitBody(paragraphs.join('\n\n'), 3_000)
    expect(pieces.length).toBeGreaterThan(5)
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(3_000)
    expect(pieces.join('\n\n')).toBe(paragraphs.join('\n\n'))
    expect(splitBody('short', 3_000)).toEqual(['short'])
  })

  test('is cut within lines and code where it must be, never within a character', () => {
    const line = '🎉'.repeat(4_000)
    const pieces = splitBody(line, 3_001)
    expect(pieces.join('')).toBe(line)
    for (const piece of pieces) expect(piece.isWellFormed() && piece.length <= 3_001).toBe(true)
    const code = `\`\`\`js\n${Array.from({ length: 500 }, (_, i) => `let x${i} = ${i}`).join('\n')}\n\`\`\`\n\nafter`
    const parts = splitBody(code, 2_000)
    expect(parts.length).toBeGreaterThan(3)
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(2_000)
    const html = parts.map((part) => render(part, {}).html)
    expect(html.every((each) => each.includes('<pre'))).toBe(true)
    expect(html.join('').match(/let<\/span> x\d+|let x\d+/g)).toHaveLength(500)
    expect(html.at(-1)).toContain('<p>after</p>')
  })
})
