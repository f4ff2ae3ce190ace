import { describe, expect, test } from 'vitest'
import { sieveOf } from '../../server/links/article-styles.ts'
import { pdfOfPages, pdfText } from '../helpers/pdf.ts'
import { textOf, wordsOf } from '../helpers/article-text.ts'

const paragraph =
  'This is what people came to read, and there is enough of it, so that nobody takes it for a mere caption. '
const page = (planted: string, head = '') =>
  `<!doctype html><html><head><title>Page</title>${head}</head><body><article><h1>Page</h1>
  <p>${paragraph.repeat(4)}</p>${planted}<p>${paragraph.repeat(4)}</p></article></body></html>`

describe('words that readers cannot see do not reach a model', () => {
  test.each([
    ['hidden', '<p hidden>PLANTED</p>'],
    ['hidden, nested', '<div hidden><div><p>PLANTED</p></div><p>PLANTED</div>'],
    ['aria-hidden', '<p aria-hidden=" TRUE ">PLANTED</p>'],
    ['display', '<p style="color: red; DISPLAY : NONE">PLANTED</p>'],
    ['display, important', '<p style="display:none!important">PLANTED</p>'],
    ['display, by entities', '<p style="display&#58;none">PLANTED</p>'],
    ['visibility', '<span style="visibility:hidden">PLANTED</span>'],
    [
      'opacity',
      '<p style="opacity:0">PLANTED</p><p style="opacity:.0">PLANTED</p><p style="opacity:0%">PLANTED</p>',
    ],
    [
      'letters of no size',
      '<p style="font-size:0px">PLANTED</p><p style="font: 0/0 a">PLANTED</p><p style="font-size: .1px">PLANTED</p>',
    ],
    ['no colour', '<p style="color:transparent">PLANTED</p><p style="color:rgba(0, 0, 0, 0)">PLANTED</p>'],
    ['the colour of its background', '<p style="color:#fff;background:#FFF">PLANTED</p>'],
    [
      'beside the page',
      '<p style="position:absolute;left:-9999px">PLANTED</p><p style="text-indent:-999em">PLANTED</p>',
    ],
    [
      'clipped',
      '<p style="position:absolute;clip:rect(0,0,0,0)">PLANTED</p><p style="clip-path:inset(50%)">PLANTED</p>',
    ],
    ['no height', '<div style="height:0;overflow:hidden">PLANTED</div>'],
    ['scaled away', '<p style="transform:scale(0)">PLANTED</p>'],
    ['inert', '<p inert>PLANTED</p>'],
    ['a popover', '<div popover=manual>PLANTED</div>'],
    ...[
      'opacity:0.01',
      'opacity:calc(1 - 1)',
      'filter:opacity(0%)',
      'font-size:calc(0px)',
      'font-size:min(1px, 10vw)',
      'font-size:.05em',
      'font-size:0.1vw',
      'font:1px/1 serif',
      'line-height:0',
      'color:rgb(0 0 0 / 0)',
      'color:#0000',
      'color:#ffffff00',
      'color:hsla(120, 50%, 50%, 0)',
      'color:oklch(50% 0.1 20 / 1%)',
      '-webkit-text-fill-color:transparent',
      'position:fixed;left:-100vw',
      'position:absolute;left:200vw',
      'position:absolute;top:-40em',
      'position:absolute;right:99999px',
      'position:absolute;left:calc(-1 * 100vw - 1px)',
      'text-indent:100%;overflow:hidden;white-space:nowrap',
      'transform:translateX(-9999px)',
      'transform:rotate(1deg) translate(0, -100vh)',
      'transform:scale(0.001)',
      'transform:scale3d(0, 0, 0)',
      'transform:rotateY(90deg)',
      'transform:matrix(0, 0, 0, 0, 0, 0)',
      'translate:-100vw',
      'scale:0',
      'clip-path:circle(0)',
      'clip-path:polygon(0 0, 0 0, 0 0)',
      'clip-path:inset(0 50%)',
      'dis/* */play:none',
      'display:/* block */none',
      'd\\69 splay:none',
      'display:n\\6f ne',
      'background:url(&quot;data:image/png;base64,x&quot;);display:none',
      'display:none;display:nonsense',
      'display:none !important;color:red',
      'max-height:0;overflow-y:clip',
    ].map((style): [string, string] => [style, `<p style="${style}">PLANTED</p>`]),
    ['comment', '<!-- PLANTED -->'],
    ['script', '<script type="text/plain">PLANTED</script>'],
    ['style', '<style>/* PLANTED */</style>'],
    ['template', '<template><p>PLANTED</p></template>'],
    ['noscript', '<noscript>PLANTED</noscript>'],
    ['closed dialog', '<dialog>PLANTED</dialog>'],
    ['controls', '<textarea>PLANTED</textarea><select><option>PLANTED</select><button>PLANTED</button>'],
    ['frames', '<iframe srcdoc="PLANTED">PLANTED</iframe><object>PLANTED</object>'],
    ['drawings', '<svg><text>PLANTED</text><title>PLANTED</title></svg><canvas>PLANTED</canvas>'],
    [
      'attributes',
      '<img src=a alt="PLANTED" title="PLANTED"><p title="PLANTED" data-x="PLANTED" aria-label="PLANTED"></p>',
    ],
    ['navigation', '<nav>PLANTED</nav>'],
    ['hidden beyond the depth that is read', `<div hidden>${'<div>'.repeat(600)}PLANTED</div>`],
    ['hidden list item', '<ul><li>Seen<li hidden>PLANTED</ul>'],
    ['hidden table row', '<table><tr><td>Seen<td>1<tr style="display:none"><td>PLANTED<td>2</table>'],
    ['hidden in code', '<pre>seen<span hidden>PLANTED</span></pre>'],
    ['hidden heading', '<h2 style="display:none">PLANTED</h2>'],
    ['hidden within a line', '<p>Seen <span hidden>PLANTED</span> seen</p>'],
  ])('%s', async (_way, planted) => {
    const text = await textOf(page(planted))
    expect(JSON.stringify(text)).not.toContain('PLANTED')
    expect(wordsOf(text)).toContain('This is what people came to read')
  })

  test('hidden by a class or an id of the page', async () => {
    const style = `<style>@charset "utf-8"; .off, #trap { color: red; display: none } .ghost{visibility:hidden}</style>`
    const planted =
      '<p class="big off">PLANTED</p><div id=trap><p>PLANTED</p></div><p class=ghost>PLANTED</p>'
    expect(JSON.stringify(await textOf(page(planted, style)))).not.toContain('PLANTED')
    // A style sheet may come after what it hides.
    expect(JSON.stringify(await textOf(page(planted + style)))).not.toContain('PLANTED')
  })

  test.each([
    ['a tag', 'aside{display:none}', '<aside>PLANTED</aside>'],
    ['a tag with a class', 'p.off{font-size:0}', '<p class="x off">PLANTED</p>'],
    ['several classes', '.a.b{opacity:0}', '<p class="b c a">PLANTED</p>'],
    ['below the whole', 'html > body .off{color:transparent}', '<p class=off>PLANTED</p>'],
    ['a letter by its number', '.\\6f ff{display:none}', '<p class=off>PLANTED</p>'],
    ['comments', '/**/.off/**/{display:/* x */none}', '<p class=off>PLANTED</p>'],
    ['an old comment', '<!-- .off{display:none} -->', '<p class=off>PLANTED</p>'],
    ['a layer', '@layer x{.off{display:none}}', '<p class=off>PLANTED</p>'],
    [
      'what holds for all',
      '@media screen and (min-width: 1px){.off{display:none}}',
      '<p class=off>PLANTED</p>',
    ],
    ['a block that is left open', '.off{left:-9999px', '<p class=off>PLANTED</p>'],
    ['a tag that is said to be shown', 'p{display:block} .off{display:none}', '<p class=off>PLANTED</p>'],
    ['other properties that are shown', '.off{opacity:0} .off{display:block}', '<p class=off>PLANTED</p>'],
    [
      'shown to printers alone',
      '.off{display:none} @media print{.off{display:block}}',
      '<p class=off>PLANTED</p>',
    ],
    ['a selector of several', ':is(h1, h2), .off{clip-path:inset(100%)}', '<p class=off>PLANTED</p>'],
  ])('hidden by a style sheet: %s', async (_way, style, planted) => {
    const text = await textOf(page(planted, `<style>${style}</style>`))
    expect(JSON.stringify(text)).not.toContain('PLANTED')
    expect(wordsOf(text)).toContain('This is what people came to read')
  })

  test('where no article stands out, all the same', async () => {
    const text = await textOf('<p>Short.</p><p style="display:none">PLANTED</p><p hidden>PLANTED')
    expect(text.sections).toEqual([{ heading: null, text: 'Short.' }])
  })

  test('in a PDF: letters too small to read', async () => {
    const pdf = pdfOfPages([`${pdfText([['Seen']])} BT /F1 0.1 Tf 1 0 0 1 72 99 Tm (PLANTED) Tj ET`])
    expect(JSON.stringify(await textOf(pdf, { type: 'application/pdf' }))).not.toContain('PLANTED')
  })
})

describe('what is seen stays', () => {
  test.each([
    [
      'a style that hides nothing',
      '<p style="color:red;margin-left:-10px;opacity:1;font-size:10px">KEPT</p>',
    ],
    ['half seen', '<p style="opacity:0.5">KEPT</p>'],
    [
      'letters a little smaller',
      '<p style="font-size:0.9em">KEPT</p><p style="font:400 small/1 serif">x</p>',
    ],
    ['in the middle', '<p style="position:absolute;left:50%;transform:translate(-50%, -50%)">KEPT</p>'],
    [
      'a picture in its letters',
      '<p style="color:transparent;background:linear-gradient(red, blue);background-clip:text">KEPT</p>',
    ],
    ['a whole that is clipped by nothing', '<p style="clip-path:inset(0);clip:auto">KEPT</p>'],
    [
      'a colour in full',
      '<p style="color:rgb(0 0 0 / 1);background:#fff">KEPT</p><p style="color:#000f">x</p>',
    ],
    ['closed details', '<details><summary>More</summary><p>KEPT</p></details>'],
    ['for printers alone', '<style media=print>p{display:none}</style><p>KEPT</p>'],
    [
      'moved in',
      '<style>@keyframes in{from{opacity:0}to{opacity:1}} .in{opacity:0;animation:in 1s forwards}</style><p class=in>KEPT</p>',
    ],
    [
      'faded in',
      '<style>.in{opacity:0;transform:translateY(20px)} .in.seen{opacity:1}</style><p class=in>KEPT</p>',
    ],
    [
      'opened by a hand',
      '<style>.fold{max-height:0;overflow:hidden;transition:max-height .2s}</style><p class=fold>KEPT</p>',
    ],
    [
      'shown by its own style',
      '<style>.tab{display:none}</style><p class=tab style="display:block">KEPT</p>',
    ],
    ['on wide windows', '<style>@media (max-width:600px){.wide{display:none}}</style><p class=wide>KEPT</p>'],
    ['a tag that a class shows', '<style>p{display:none} .x{display:block}</style><p class=x>KEPT</p>'],
    ['an open dialog', '<dialog open>KEPT</dialog>'],
    ['details', '<details><summary>More</summary><p>KEPT</p></details>'],
    ['aria-hidden that is not', '<p aria-hidden="false">KEPT</p>'],
    [
      'hidden for printers',
      '<style>@media print { .screen { display: none } }</style><p class=screen>KEPT</p>',
    ],
    [
      'hidden on small windows',
      '<style>.wide{display:none} @media (min-width:1px){.wide{display:block}}</style><p class=wide>KEPT</p>',
    ],
    [
      'the open one of several tabs',
      '<style>.tab{display:none}.tab.on{display:block}</style><p class="tab on">KEPT</p>',
    ],
  ])('%s', async (_why, html) => {
    expect(wordsOf(await textOf(page(html)))).toContain('KEPT')
  })

  test('a page that hides itself until its script runs', async () => {
    const html = page('<p>KEPT</p>').replace('<body>', '<body style="opacity:0" hidden>')
    expect(wordsOf(await textOf(html))).toContain('KEPT')
  })

  test('of a style sheet only simple rules count', () => {
    const isHidden = sieveOf([
      {
        media: '',
        css: '.a{display:none} .b .c{display:none} p.d{display:none} #e , .f{ display:none } .g:hover{display:none} :not(.x, .j, .y){display:none} .k{.l &{display:none}} } .h{display:none} .i{display:',
      },
    ])
    const hidden = Array.from('abcdfghijkl').filter((name) =>
      isHidden({ tag: 'p', id: '', classes: ['x', name] }, new Map()),
    )
    expect(hidden).toEqual(['a', 'd', 'f', 'h'])
    expect(isHidden({ tag: 'div', id: '', classes: ['d'] }, new Map())).toBe(false)
    expect(isHidden({ tag: 'div', id: 'e', classes: [] }, new Map())).toBe(true)
  })

  test('a style sheet of odd signs is read in no time', () => {
    for (const odd of [
      '{',
      '}',
      '(',
      '\\',
      '"',
      '/*',
      ',',
      '.a,',
      '.a{',
      '@media screen{',
      'a{b:c;',
      '\\a',
      '.\\a',
    ])
      expect(sieveOf([{ media: '', css: odd.repeat(200_000 / odd.length) }])).toBeTypeOf('function')
    const calc = `.a{font-size:${'calc('.repeat(30_000)}0px`
    expect(sieveOf([{ media: '', css: calc }])({ tag: 'p', id: '', classes: ['a'] }, new Map())).toBe(false)
  })
})

describe('characters that readers cannot see', () => {
  const smuggled = Array.from('obey')
    .map((letter) => String.fromCodePoint(0xe0000 + letter.codePointAt(0)!))
    .join('')
  const varied = Array.from('obey')
    .map((letter) => String.fromCodePoint(0xe0100 + letter.codePointAt(0)!))
    .join('')

  test.each([
    ['tags', `one${smuggled}two`],
    ['variation selectors', `one${varied}two`],
    ['joiners that spell bits', 'one\u200c\u200d\u200d\u200c\u200dtwo'],
    ['zero width spaces and other marks', 'one\u200b\u2060\ufeff\u00ad\u180etwo'],
    ['turned direction', 'one\u202e\u2066\u2069two'],
    ['controls', 'one\u0000\u0007\u001b\u009btwo'],
    ['private use', 'one\ue000\u{f0000}two'],
  ])('%s are gone', async (_what, planted) => {
    for (const type of ['text/html', 'text/plain', 'text/markdown'])
      expect((await textOf(planted, { type })).sections, type).toEqual([{ heading: null, text: 'onetwo' }])
    const text = await textOf(`<title>${planted}</title><h2>${planted}</h2><p>x`)
    expect([text.title, text.sections[0]!.heading]).toEqual(['onetwo', null])
  })

  test('those that belong to a script or a picture stay', async () => {
    const text = 'می\u200cخواهم 👩\u200d🔬 ❤\ufe0f 葛\u{e0100}'
    expect((await textOf(`<p>${text}`)).sections[0]!.text).toBe(text)
  })
})
