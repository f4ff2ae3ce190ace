import { describe, expect, test } from 'vitest'
import { pdfOfPages, pdfText } from '../helpers/pdf.ts'
import { textOf, wordsOf } from '../helpers/article-text.ts'

const read = (bytes: Uint8Array) => textOf(bytes, { type: 'application/pdf', name: 'paper.pdf' })

describe('the text of a PDF', () => {
  test('comes page by page, with its lines put together again', async () => {
    const pdf = pdfOfPages(
      [
        pdfText([
          ['The tide comes in twice a day, and who has built', 'on the sand is told so twice.'],
          ['A second paragraph, whose last word is par-', 'ted, and (not) the others.'],
        ]),
        pdfText([]),
        pdfText([['The third page.']]),
      ],
      { title: 'On tides' },
    )
    expect(await read(pdf)).toMatchObject({
      title: 'On tides',
      sections: [
        {
          heading: 'Page 1',
          text: 'The tide comes in twice a day, and who has built on the sand is told so twice.\n\nA second paragraph, whose last word is parted, and (not) the others.',
        },
        { heading: 'Page 3', text: 'The third page.' },
      ],
    })
  })

  test.each([
    [undefined, 'paper.pdf'],
    ['', 'paper.pdf'],
    ['Untitled-3', 'paper.pdf'],
    ['draft_final.docx', 'paper.pdf'],
    ['Microsoft Word - Harbours', 'Harbours'],
  ])('title %s', async (title, shown) => {
    const pdf = pdfOfPages([pdfText([['Words']])], title === undefined ? {} : { title })
    expect((await read(pdf)).title).toBe(shown)
  })

  test('leaves out what nobody sees: tiny letters, and those beside the page', async () => {
    const shown = pdfText([['Seen words.']])
    const tiny = 'BT /F1 0.5 Tf 1 0 0 1 72 300 Tm (TINYWORD) Tj ET'
    const scaled = 'BT /F1 12 Tf 0.05 0 0 0.05 72 280 Tm (SCALEDWORD) Tj ET'
    const beside = 'BT /F1 12 Tf 1 0 0 1 -900 300 Tm (LEFTWORD) Tj 1 0 0 1 72 -50 Tm (BELOWWORD) Tj ET'
    const text = await read(pdfOfPages([`${shown}\n${tiny}\n${scaled}\n${beside}`]))
    expect(text.sections).toEqual([{ heading: 'Page 1', text: 'Seen words.' }])
  })

  test('two columns are read one after the other', async () => {
    const line = (x: number, y: number, words: string) => `1 0 0 1 ${x} ${y} Tm (${words}) Tj`
    const pdf = pdfOfPages([
      `BT /F1 10 Tf ${line(72, 700, 'left one')} ${line(72, 688, 'left two')} ${line(320, 700, 'right one')} ${line(320, 688, 'right two')} ET`,
    ])
    expect((await read(pdf)).sections[0]!.text).toBe('left one left two\n\nright one right two')
  })
})

describe('a PDF that cannot be read says why', () => {
  test('no text: only pictures', async () => {
    const pdf = pdfOfPages(['q 100 0 0 100 72 600 cm /I Do Q'], {
      resources: '/XObject << /I 5 0 R >>',
      objects: [
        {
          value:
            '<< /Type /XObject /Subtype /Image /Width 2 /Height 2 /ColorSpace /DeviceGray /BitsPerComponent 8 >>',
          stream: Buffer.from([0, 80, 160, 240]),
        },
      ],
    })
    await expect(read(pdf)).rejects.toMatchObject({ message: 'The PDF holds no text' })
  })

  test('locked', async () => {
    const key = `<${'5a'.repeat(32)}>`
    const encryption = { value: `<< /Filter /Standard /V 1 /R 2 /O ${key} /U ${key} /P -4 >>` }
    const pdf = pdfOfPages([pdfText([['Secret']])], {
      objects: [encryption],
      trailer: `/Encrypt 5 0 R /ID [<00> <00>]`,
    })
    await expect(read(pdf)).rejects.toMatchObject({ message: 'The PDF is locked with a password' })
  })

  test.each([
    ['cut off', pdfOfPages([pdfText([['Hello there']])]).slice(0, 300)],
    ['something else', Buffer.from('<!doctype html><p>Not found')],
    ['nothing', Buffer.from('')],
  ])('broken: %s', async (_what, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ message: 'The PDF is broken' })
  })

  test('a damaged table of contents is repaired', async () => {
    const whole = Buffer.from(pdfOfPages([pdfText([['Still here']])])).toString('latin1')
    const damaged = Buffer.from(whole.replace(/startxref\n\d+/, 'startxref\n7'), 'latin1')
    expect(wordsOf(await read(damaged))).toContain('Still here')
  })
})
