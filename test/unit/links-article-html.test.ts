import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { articleLimits } from '../../server/links/limits.ts'
import { blogPage, essayPage, essayParagraphs, japanesePage, manualPage } from '../helpers/article-pages.ts'
import { textOf, wordsOf } from '../helpers/article-text.ts'

describe('the article of a page', () => {
  test('comes in sections by heading, without what blogs put around it', async () => {
    const { title, sections } = await textOf(blogPage)
    expect(title).toBe('Why small boats turn faster')
    expect(sections.map(({ heading }) => heading)).toEqual([
      null,
      'It is not the weight',
      'What follows for harbours',
    ])
    expect(sections[0]!.text).toContain('asks its keel, and only then begins to come round.')
    expect(sections[1]!.text.split('\n\n')).toEqual([
      expect.stringMatching(/^Weight is what most people name first, .* from the middle\.$/),
      'Twice the length means roughly four times the effort, because the ends have to travel further as well as carry more. That is why a rowing boat spins & a barge does not.',
      '> Never argue with the ends of a boat.',
    ])
    expect(sections[2]!.text).toMatch(
      /\n\n1\. Leave room astern\.\n2\. Turn early:\n {3}- once for the wind,\n {3}- once for the tide\.$/,
    )
    for (const around of ['SCRIPT', 'STYLE', 'NAV', 'AD', 'SIDE', 'COMMENT', 'FOOT'])
      expect(wordsOf({ sections })).not.toContain(`${around}WORD`)
  })

  test('is found without headings, in tables, in tags that are never closed', async () => {
    const { title, sections } = await textOf(essayPage)
    expect(title).toBe('Dust')
    expect(sections).toEqual([{ heading: null, text: essayParagraphs.join('\n\n') }])
  })

  test('keeps code, tables and formulas readable', async () => {
    const { title, sections } = await textOf(manualPage)
    expect(title).toBe('Counting words')
    expect(sections.map(({ heading }) => heading)).toEqual([null, 'Calling it', 'Options'])
    expect(sections[1]!.text.split('\n\n').slice(1).join('\n\n')).toBe(
      [
        '```',
        'function count(text) {',
        '  const seen = {}',
        '',
        "  for (const word of text.split(' ')) seen[word] = (seen[word] ?? 0) + 1",
        '  return seen',
        '}',
        '```',
      ].join('\n'),
    )
    expect(sections[2]!.text).toBe(
      [
        'All options\nName | Default | Meaning\nfold | true | upper case counts as lower case\nleast | 1 | shorter words are left out',
        'The share of a word is n / N, with all words counted below the line.',
      ].join('\n\n'),
    )
  })

  test('is decoded as the page says', async () => {
    const { title, sections } = await textOf(japanesePage.html)
    expect(title).toBe('港の朝')
    expect(sections).toEqual([{ heading: null, text: japanesePage.paragraphs.join('\n\n') }])
    // 港 in Shift_JIS.
    const old = Buffer.concat([
      Buffer.from('<meta charset="shift_jis"><p>'),
      Buffer.from([0x8d, 0x60]),
      Buffer.from('</p>'),
    ])
    expect((await textOf(old)).sections).toEqual([{ heading: null, text: '港' }])
    expect((await textOf(Buffer.from([0xe9]), { charset: 'iso-8859-1' })).sections[0]!.text).toBe('é')
  })

  test('has a hash of its text, and no other', async () => {
    const one = await textOf('<title>x</title><h2>A</h2><h3>B</h3><p>c')
    expect(one.sections).toEqual([{ heading: 'A › B', text: 'c' }])
    expect(one.hash).toBe(createHash('sha256').update('A › B\n\nc').digest('hex'))
    expect((await textOf('<title>y</title><h3>A</h3><h4>B</h4><p class=c>c')).hash).toBe(one.hash)
    expect((await textOf('<title>x</title><h2>A</h2><h3>B</h3><p>d')).hash).not.toBe(one.hash)
  })
})

describe('where no article stands out', () => {
  test('all of the page is read, but for its frame', async () => {
    const { sections } = await textOf(
      `<nav>Menu</nav><div role=navigation>More menu</div><p>One.<p>Two.<aside>Aside</aside><footer>Foot</footer>`,
    )
    expect(sections).toEqual([{ heading: null, text: 'One.\n\nTwo.' }])
  })

  test('a box that looks like an article is not taken for the page', async () => {
    const entry = (_: unknown, at: number) =>
      `<li><a href="/${at}">Entry ${at} of the list</a> <span>${at * 7} metres</span></li>`
    const list = Array.from({ length: 60 }, entry).join('')
    const note = `<p>${'Short note, with commas, one. '.repeat(5)}</p><p>${'Short note, with commas, two. '.repeat(5)}</p>`
    const html = `<div class="sidebar"><ul>${list}</ul></div><div class="article entry-content">${note}</div>`
    const words = wordsOf(await textOf(html))
    expect(words).toContain('- Entry 59 of the list 413 metres')
    expect(words).toContain('Short note')
  })

  test('a page without text is told from one with text', async () => {
    await expect(textOf('<script>x()</script><img src=a.png alt=words>')).rejects.toMatchObject({
      failure: 'no-text',
      message: 'The page holds no text',
    })
    await expect(textOf('')).rejects.toThrow('The page holds no text')
  })
})

describe('titles', () => {
  test.each([
    ['<title>Essay – Site</title><h1>Essay</h1><p>x', 'Essay'],
    ['<title>Small-boat turns - Site</title><h1>Site</h1><h1>Small-Boat Turns</h1><p>x', 'Small-Boat Turns'],
    ['<title>Small-boat turns - Site</title><h1>One</h1><h1>Two</h1><p>x', 'Small-boat turns - Site'],
    ['<meta property="og:title" content="Open"><title>Plain</title><h1>Plain</h1><p>x', 'Open'],
    ['<title>Plain &amp; simple</title><p>x', 'Plain & simple'],
    ['<h1>Only a heading</h1><p>x', 'Only a heading'],
    ['<title> </title><svg><title>drawing</title></svg><p>x', 'page.html'],
    ['<p>x', 'page.html'],
  ])('%s', async (html, title) => {
    expect((await textOf(html)).title).toBe(title)
  })
})

describe('sizes', () => {
  const sentence = 'Water finds the lowest place, and waits there. '

  test('a long section is parted at paragraphs, and each part says whose it is', async () => {
    const paragraphs = Array.from({ length: 40 }, (_, at) => `Paragraph ${at}. ${sentence.repeat(10)}`.trim())
    const { sections } = await textOf(`<h2>Water</h2>${paragraphs.map((each) => `<p>${each}</p>`).join('')}`)
    expect(sections.length).toBeGreaterThan(2)
    expect(sections.map(({ heading }) => heading)).toEqual([
      'Water',
      ...sections.slice(1).map(() => 'Water (continued)'),
    ])
    for (const { text } of sections) expect(text.length).toBeLessThanOrEqual(articleLimits.sectionMax)
    expect(sections.map(({ text }) => text).join('\n\n')).toBe(paragraphs.join('\n\n'))
  })

  test('a long paragraph is parted after sentences, and no character is halved', async () => {
    const { sections } = await textOf(`<p>${sentence.repeat(400)}`)
    expect(sections.length).toBeGreaterThan(1)
    for (const { text } of sections) expect(text).toMatch(/^Water .*there\.$/)
    const faces = await textOf(`<p>x${'🙂'.repeat(5_000)}`)
    expect(faces.sections.length).toBeGreaterThan(1)
    expect(faces.sections.map(({ text }) => text).join('')).toBe(`x${'🙂'.repeat(5_000)}`)
    for (const { text } of faces.sections) expect(text.isWellFormed()).toBe(true)
  })

  test('many small sections are put together, and nothing gets lost', async () => {
    const html = Array.from({ length: 3_000 }, (_, at) => `<h2>Title ${at}</h2><p>Text ${at}.</p>`).join('')
    const text = await textOf(html)
    expect(text.sections.length).toBeLessThanOrEqual(articleLimits.sections)
    for (const each of text.sections) expect(each.text.length).toBeLessThanOrEqual(articleLimits.sectionMax)
    expect(wordsOf(text).match(/Title \d+\s+Text \d+\./g)).toHaveLength(3_000)
  })

  test('a page of any length gives a text of at most so much', async () => {
    const text = await textOf(`<p>${sentence.repeat(20)}</p>`.repeat(1_000))
    const length = text.sections.reduce((sum, { text }) => sum + text.length, 0)
    expect(length).toBeLessThanOrEqual(articleLimits.textMax)
    expect(length).toBeGreaterThan(articleLimits.textMax * 0.99)
  })
})

describe('plain text', () => {
  test('is left as it is, in paragraphs', async () => {
    const text = await textOf('One\r\n  two\r\n\r\n\r\n# three\n', { type: 'text/plain', name: 'notes.txt' })
    expect(text).toMatchObject({
      title: 'notes.txt',
      sections: [{ heading: null, text: 'One\n  two\n\n# three' }],
    })
  })

  test('has headings in Markdown, though not in code', async () => {
    const source = '# Manual #\n\nWords.\n\n## Second\n```sh\n# not a heading\n\nls\n```\n\n> # quoted\n'
    expect(await textOf(source, { type: 'text/markdown' })).toMatchObject({
      title: 'Manual',
      sections: [
        { heading: null, text: 'Words.' },
        { heading: 'Second', text: '```sh\n# not a heading\n\nls\n```\n\n> # quoted' },
      ],
    })
  })
})
