import { describe, expect, it } from 'vitest'
import { createMarkdown } from '../../shared/markdown.ts'

const markdown = createMarkdown({ publicUrl: 'https://forum.example' })
const mentions = (body: string) => markdown.render(body, { thread: 'k3v9x2q7ab' }).mentions

describe('a text calls', () => {
  it.each([
    ['@explain', ['explain']],
    ['Could @Explain, then @check-2 (or @catch-up) help? @explain!', ['explain', 'check-2', 'catch-up']],
    ['**@explain** *@check*: ~~@compare~~', ['explain', 'check', 'compare']],
    ['“@explain”—@check…', ['explain', 'check']],
    ['請@explain說明一下', ['explain']],
    ['@explain에게', ['explain']],
    ['- @explain\n\n| a |\n|---|\n| @check |\n\n# @compare', ['explain', 'check', 'compare']],
    ['@explain.', ['explain']],
    ['@explain- and @check:', ['explain', 'check']],
    ['@one1 @two2 @three @four @five @six', ['one1', 'two2', 'three', 'four', 'five']],
    ['line\n@explain', ['explain']],
  ])('%j', (body, expected) => expect(mentions(body)).toEqual(expected))
})

describe('a text calls nobody', () => {
  it.each([
    'ada@explain.example',
    'ada.b@explain',
    '@explain@social.example',
    '@explain.example and @explain/x',
    'https://a.example/@explain',
    '<https://a.example/@explain>',
    '[@explain](https://a.example)',
    '`@explain` and ```@check```',
    '```\n@explain\n```',
    '    @explain',
    '$@explain$ and $$@explain$$',
    '$$\n@explain\n$$',
    '> @explain',
    '> > - @explain\n> text',
    '\\@explain',
    '&#64;explain',
    'foo\\_@explain',
    '@Élan @éxplain @explainé @_explain @explain_x',
    'é@explain',
    '@1abc @-abc @a @@explain',
    `@${'x'.repeat(31)}`,
    '![@explain](https://a.example/x.png)',
  ])('%j', (body) => expect(mentions(body)).toEqual([]))

  it('and reads the same', () => {
    expect(markdown.render('Hi @explain!').html).toBe('<p>Hi @explain!</p>\n')
  })
})
