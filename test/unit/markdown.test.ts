import { describe, expect, it } from 'vitest'
import { limits } from '../../shared/limits.ts'
import { createMarkdown, excerpt } from '../../shared/markdown.ts'

const thread = 'k3v9x2q7ab'
const rel = 'rel="nofollow ugc noopener"'
const markdown = createMarkdown({
  publicUrl: 'https://forum.example/',
  math: (tex, display) =>
    tex.includes('\\bad') ? null : `<math${display ? ' display="block"' : ''}><mi>${tex}</mi></math>`,
  highlight: (code, language) =>
    language === 'js' ? `<span class="hljs-comment">${code.length}</span>` : '',
})
const render = (body: string) => markdown.render(body, { thread })
const html = (body: string) => render(body).html.trim()
const inline = (body: string) => html(body).replace(/^<p>|<\/p>$/g, '')
const link = (href: string, text = href) => `<a href="${href}" ${rel}>${text}</a>`
const postLink = (number: number) => `<a href="/t/${thread}/${number}" class="post-ref">#${number}</a>`

describe('text', () => {
  it.each([
    ['*a* **b** ~~c~~ `d`', '<em>a</em> <strong>b</strong> <s>c</s> <code>d</code>'],
    ['a\nb', 'a<br>\nb'],
    ['a  \nb\\\nc', 'a<br>\nb<br>\nc'],
    ['"quotes" -- (c) ...', '&quot;quotes&quot; -- (c) ...'],
    ['<b onclick=x>a</b> <!-- c -->', '&lt;b onclick=x&gt;a&lt;/b&gt; &lt;!-- c --&gt;'],
    ['&lt;b&gt; &amp;amp; &copy;', '&lt;b&gt; &amp;amp; ©'],
    ['a\u0000b', 'a\ufffdb'],
  ])('%j', (body, expected) => expect(inline(body)).toBe(expected))

  it('shows blocks of HTML as text', () => {
    expect(html('<div>\n*a*\n</div>')).toBe('<p>&lt;div&gt;<br>\n<em>a</em><br>\n&lt;/div&gt;</p>')
  })

  it.each([
    ['# a', 3],
    ['## a', 4],
    ['a\n===', 3],
    ['#### a', 6],
    ['###### a', 6],
  ])('%j is a heading of level %i', (body, level) => expect(html(body)).toBe(`<h${level}>a</h${level}>`))

  it('keeps the number that an ordered list starts with', () => {
    expect(html('3. a')).toBe('<ol start="3">\n<li>a</li>\n</ol>')
  })

  it('frames tables and aligns them by class', () => {
    const rows =
      '<tr>\n<td class="align-left">1</td>\n<td class="align-center">2</td>\n<td class="align-right">3</td>\n<td></td>\n</tr>'
    expect(html('a|b|c|d\n:-|:-:|-:|-\n1|2|3|')).toBe(
      '<div class="table" role="group" tabindex="0" aria-label="Table"><table>\n<thead>\n<tr>\n' +
        '<th class="align-left">a</th>\n<th class="align-center">b</th>\n<th class="align-right">c</th>\n<th>d</th>\n' +
        `</tr>\n</thead>\n<tbody>\n${rows}\n</tbody>\n</table></div>`,
    )
  })

  it('shows tasks as boxes with a name', () => {
    const item = (name: string, box: string, rest: string) =>
      `<li class="task"><span class="task-box" role="img" aria-label="${name}">${box}</span> ${rest}</li>`
    expect(html('- [ ] a\n- [x] *b*\n- [X] c\n- [y] d\n- \\[ ] e')).toBe(
      `<ul>\n${item('To do', '☐', 'a')}\n${item('Done', '☑', '<em>b</em>')}\n${item('Done', '☑', 'c')}\n<li>[y] d</li>\n<li>[ ] e</li>\n</ul>`,
    )
    expect(html('[ ] a')).toBe('<p>[ ] a</p>')
  })
})

describe('code', () => {
  it('names its language and can be scrolled by keyboard', () => {
    expect(html('```js\n<a>\n```')).toBe(
      '<pre tabindex="0"><code class="language-js hljs"><span class="hljs-comment">4</span></code></pre>',
    )
    expect(html('``` TS x\n<a>\n```')).toBe(
      '<pre tabindex="0"><code class="language-ts hljs">&lt;a&gt;\n</code></pre>',
    )
    expect(html('    <a>')).toBe('<pre tabindex="0"><code class="hljs">&lt;a&gt;\n</code></pre>')
  })

  it.each(['"onclick=x', 'a"b', '<b>', '&quot;x', '-x', 'x'.repeat(31), '\u00e9'])(
    'has no language called %j',
    (info) => {
      expect(html(`~~~${info}\na\n~~~`)).toBe('<pre tabindex="0"><code class="hljs">a\n</code></pre>')
    },
  )

  it('is coloured only up to a limit for the whole post', () => {
    const block = '```js\n' + 'a\n'.repeat(1_500) + '```\n'
    expect(html(block.repeat(4)).match(/hljs-comment/g)).toHaveLength(2)
  })
})

describe('links', () => {
  it.each([
    ['[a](https://b.example/c?d=1&e "f")', `<a href="https://b.example/c?d=1&amp;e" title="f" ${rel}>a</a>`],
    ['[a](mailto:b@c.example)', link('mailto:b@c.example', 'a')],
    ['<mailto:b@c.example>', link('mailto:b@c.example')],
    ['[a][b]\n\n[b]: HTTP://c.example', link('HTTP://c.example', 'a')],
    ['[a](/t/k3v9x2q7ab/3)', link('/t/k3v9x2q7ab/3', 'a')],
    ['a https://b.example/c_d_e?f#17.', `a ${link('https://b.example/c_d_e?f#17')}.`],
    ['(https://b.example/(c))', `(${link('https://b.example/(c)')})`],
    ['a https://xn--80ak6aa92e.com/%41', `a ${link('https://xn--80ak6aa92e.com/%41')}`],
    ['[https://b.example](https://c.example)', link('https://c.example', 'https://b.example')],
  ])('%j', (body, expected) => expect(inline(body)).toBe(expected))

  it.each([
    '[a](javascript:b)',
    '[a](data:text/html,b)',
    '[a](vbscript:b)',
    '[a](//b.example)',
    '[a](/b)',
    '[a](#b)',
    '[a](b)',
    '[a](https:b.example)',
    '[a](https:///b.example)',
    '[a](/t/k3v9x2q7ab/0)',
    '[a](/t/0OIlx2q7ab/1)',
    'javascript:b',
    'www.b.example b.example a@b.example //b.example ftp://b.example',
    '![a](data:image/png;base64,xx)',
  ])('%s stays text', (body) => expect(inline(body)).toBe(body))

  it('has no link with a name or password in its address', () => {
    for (const body of [
      '<https://a.example@b.example>',
      '[c](https://a.example:d@b.example)',
      'https://a.example@b.example',
    ]) {
      expect(inline(body)).not.toMatch(/href="[^"]*b\.example/)
    }
  })

  it('keeps the text alone of a link without an address', () => {
    expect(inline('[*a*]() [b](<>)')).toBe('<em>a</em> [b](&lt;&gt;)')
  })

  it('makes links of images, so that nothing loads by itself', () => {
    const image = (href: string, text: string) => `<a href="${href}" class="image-link" ${rel}>${text}</a>`
    expect(inline('![a *b*](https://c.example/d.png "e")')).toBe(image('https://c.example/d.png', 'a b'))
    expect(inline('![](https://c.example)')).toBe(image('https://c.example', 'https://c.example'))
    expect(inline('![a ![b](https://d.example)](https://c.example)')).toBe(image('https://c.example', 'a b'))
    expect(inline('[![a](https://b.example)](https://c.example)')).toBe(link('https://c.example', 'a'))
    expect(inline('![a]()')).toBe('a')
  })
})

describe('references to posts', () => {
  it.each([
    ['#17', postLink(17)],
    ['a (#1), [#2] *#3*: #4', `a (${postLink(1)}), [${postLink(2)}] <em>${postLink(3)}</em>: ${postLink(4)}`],
    ['#17.', `${postLink(17)}.`],
    ['#2147483647', postLink(2147483647)],
  ])('%j', (body, expected) => expect(inline(body)).toBe(expected))

  it.each(['C#1', 'a/#1', '#0', '#01', '#1a', '#1_', '##1', 'a #', '#2147483648', '#99999999999'])(
    '%j is none',
    (body) => expect(inline(body)).toBe(body),
  )

  it('stay text in code, in links, after a backslash, and where no thread is known', () => {
    expect(inline('`#1` \\#2')).toBe('<code>#1</code> #2')
    expect(inline('&#35;3')).toBe('#3')
    expect(inline('[#4](https://a.example) ![#5](https://a.example)')).not.toContain('post-ref')
    expect(markdown.render('#1').html).toBe('<p>#1</p>\n')
  })
})

describe('formulas', () => {
  const math = (tex: string) => `<span class="math"><math><mi>${tex}</mi></math></span>`
  const display = (tex: string) => `<math display="block"><mi>${tex}</mi></math>`
  const block = (tex: string) => `<div class="math math-display" tabindex="0">${display(tex)}</div>`

  it.each([
    ['a $x_1*y*z$, ($b$)', `a ${math('x_1*y*z')}, (${math('b')})`],
    ['$5 and $x$', `$5 and ${math('x')}`],
    ['$5x + 3 = 2$', math('5x + 3 = 2')],
    ['$a\\$b$', math('a\\$b')],
    ['a $$x$$ b', `a <span class="math math-display">${display('x')}</span> b`],
    ['`$x$` $x$', `<code>$x$</code> ${math('x')}`],
    ['$\\bad<$', '<span class="math"><code class="math-error">\\bad&lt;</code></span>'],
  ])('%j', (body, expected) => expect(inline(body)).toBe(expected))

  it.each([
    '$5 and $10',
    '$5-$10',
    'US$5 or A$6',
    '$5 (US$)',
    '$20,000 to $30,000',
    '$x $',
    '$ x$',
    'x$y$',
    '$x$y',
    '$',
    '$$',
    '$$$',
    '$$$$',
  ])('%j has none', (body) => expect(inline(body)).toBe(body))

  it('do not begin after a backslash nor span lines', () => {
    expect(inline('\\$x$ $a\nb$')).toBe('$x$ $a<br>\nb$')
  })

  it.each([
    ['$$\nx\n+ y\n$$', block('x\n+ y')],
    ['$$x$$', block('x')],
    ['```math\nx\n```', block('x')],
    ['a\n$$\nx\n$$\nb', `<p>a</p>\n${block('x')}\n<p>b</p>`],
    ['> $$\n> x\n> $$', `<blockquote>\n${block('x')}\n</blockquote>`],
    ['- $$\n  x\n  $$', `<ul>\n<li>\n${block('x')}\n</li>\n</ul>`],
    ['$$\nx\n\n$$', '<p>$$<br>\nx</p>\n<p>$$</p>'],
    ['$$\nx', '<p>$$<br>\nx</p>'],
  ])('block %j', (body, expected) => expect(html(body)).toBe(expected))

  it('are shown as their source where nobody can render them, and beyond the limit of a post', () => {
    expect(createMarkdown({ publicUrl: 'https://a.example' }).render('$x$').html).toBe(
      '<p><span class="math"><code class="math-source">x</code></span></p>\n',
    )
    const many = html('$x$ '.repeat(250))
    expect(many.match(/<math>/g)).toHaveLength(200)
    expect(many.match(/math-source/g)).toHaveLength(50)
  })
})

describe('embeds', () => {
  const embed = (n: number, href: string) => `<p class="embed" data-embed="${n}">${link(href)}</p>`

  it('are addresses alone on their lines', () => {
    const { html, refs } = render(
      'a\n\nhttps://b.example/c\n<https://d.example>\n\n  https://forum.example/t/k3v9x2q7ab/3  ',
    )
    expect(html.trim()).toBe(
      [
        '<p>a</p>',
        embed(0, 'https://b.example/c'),
        embed(1, 'https://d.example'),
        embed(2, 'https://forum.example/t/k3v9x2q7ab/3'),
      ].join('\n'),
    )
    expect(refs).toEqual([
      { kind: 'link', url: 'https://b.example/c' },
      { kind: 'link', url: 'https://d.example' },
      { kind: 'post', thread, number: 3 },
    ])
  })

  it.each([
    ['https://forum.example/t/k3v9x2q7ab', 1],
    ['https://forum.example/t/k3v9x2q7ab/', 1],
    ['https://forum.example/t/k3v9x2q7ab/12?a#b', 12],
    ['/t/k3v9x2q7ab/12', 12],
    ['/t/k3v9x2q7ab', 1],
  ])('%s is a post', (body, number) => expect(render(body).refs).toEqual([{ kind: 'post', thread, number }]))

  it.each([
    'https://forum.example/t/k3v9x2q7ab/0',
    'https://forum.example/t/short',
    'https://forum.example/',
    'http://forum.example/t/k3v9x2q7ab/1',
    'https://forum.example.evil.example/t/k3v9x2q7ab/1',
  ])('%s is a page like any other', (url) => expect(render(url).refs).toEqual([{ kind: 'link', url }]))

  it('leave the lines around them as paragraphs', () => {
    expect(html('a\n*b*\nhttps://c.example\nd\ne')).toBe(
      `<p>a<br>\n<em>b</em></p>\n${embed(0, 'https://c.example')}\n<p>d<br>\ne</p>`,
    )
  })

  it.each([
    'a https://b.example',
    'https://b.example c',
    'https://b.example.',
    '[a](https://b.example)',
    '**https://b.example**',
    '> https://b.example',
    '- https://b.example',
    '    https://b.example',
    '# https://b.example',
    '*a\nhttps://b.example\nc*',
    '<mailto:a@b.example>',
    '<https://a@b.example>',
    '`https://b.example`',
    '/t/short/1',
    `https://b.example/${'x'.repeat(limits.urlMax)}`,
  ])('%j is none', (body) => {
    expect(render(body).refs).toEqual([])
    expect(html(body)).not.toContain('data-embed')
  })

  it(`are ${limits.embedsPerPost} at most; more stay links`, () => {
    const { html, refs } = render(Array.from({ length: 12 }, (_, n) => `https://a.example/${n}`).join('\n'))
    expect(refs).toHaveLength(10)
    expect(html.match(/data-embed/g)).toHaveLength(10)
    expect(html).toContain(`<p>${link('https://a.example/10')}<br>\n${link('https://a.example/11')}</p>`)
  })
})

describe('plain text', () => {
  it('is what a reader reads, on one line', () => {
    const body =
      '# A\n\n*b*\nc `d`\n\n- e\n- [x] f\n\n```js\ng  h\n```\n\ni|j\n-|-\nk|l\n\n![m](https://n.example) $o$\n\n$$p$$'
    expect(render(body).text).toBe('A b c d e ☑ f g h i j k l m o p')
  })

  it('has the source of a formula that is shown as its source', () => {
    expect(render('$\\bad$').text).toBe('\\bad')
  })

  it.each([
    ['one two three', 20, 'one two three'],
    ['one two three', 13, 'one two three'],
    ['one two three', 12, 'one two…'],
    ['one two, three', 12, 'one two…'],
    ['onetwothree', 5, 'onet…'],
    ['漢字漢字漢字', 4, '漢字漢…'],
    ['👍👍👍', 4, '👍…'],
  ])('excerpt of %j within %i', (text, max, expected) => expect(excerpt(text, max)).toBe(expected))
})
