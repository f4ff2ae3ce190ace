import { describe, expect, test } from 'vitest'
import { hiddenByStyles } from '../../server/links/article-hidden.ts'
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
    const { classes, ids } = hiddenByStyles(
      '.a{display:none} .b .c{display:none} p.d{display:none} #e , .f{ display:none } .g:hover{display:none} } .h{display:none} .i{display:',
    )
    expect([...classes]).toEqual(['a', 'f', 'h'])
    expect([...ids]).toEqual(['e'])
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
