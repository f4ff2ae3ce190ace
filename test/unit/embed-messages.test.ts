import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkedStyles,
  parseMessage,
  postFragment,
  styleNames,
  toFrame,
  toHost,
} from '../../shared/widget.ts'

/** What `JSON` and structured clones may hold. */
const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })

/** Of either direction, with its fields by their names. */
function parse(shape: typeof toFrame | typeof toHost, data: unknown) {
  return parseMessage(shape as typeof toHost, data) as
    ({ numinex: string } & Record<string, unknown>) | undefined
}

describe('a message', () => {
  const good = [
    [toHost, { numinex: 'hello' }],
    [toHost, { numinex: 'size', height: 120.5 }],
    [toHost, { numinex: 'ready', posts: 0 }],
    [toHost, { numinex: 'post', thread: 'k3v9x2q7ab', number: 7 }],
    [toHost, { numinex: 'error', code: 'internal', message: '' }],
    [toFrame, { numinex: 'find', number: 3, to: -12 }],
    [
      toFrame,
      { numinex: 'page', theme: '', scheme: 'dark', styles: ['red'], live: false, token: '', hash: '#a' },
    ],
  ] as const

  test.each(good)('is read: %#', (shape, message) => {
    expect(parse(shape, message)).toEqual(message)
  })

  test.each(good)(
    'without any one of its fields, or with another type in it, is none: %#',
    (shape, message) => {
      for (const field of Object.keys(message)) {
        const { [field]: value, ...rest } = message as Record<string, unknown>
        const others = ['text', 7, true, {}, null, undefined].filter((other) => typeof other !== typeof value)
        for (const broken of [rest, ...others.map((other) => ({ ...rest, [field]: other }))])
          expect(parse(shape, broken)).toBeUndefined()
      }
    },
  )

  test('of the other direction is none', () => {
    expect(parseMessage(toFrame, { numinex: 'size', height: 1 })).toBeUndefined()
    expect(parseMessage(toHost, { numinex: 'find', number: 1, to: 1 })).toBeUndefined()
  })

  test('that is named like something that every object has is none', () => {
    for (const numinex of Object.getOwnPropertyNames(Object.prototype))
      expect(parseMessage(toHost, { numinex })).toBeUndefined()
  })

  test('is never made of something else, and nothing that is sent throws', () => {
    const named = fc.tuple(fc.constantFrom(...Object.keys({ ...toHost, ...toFrame })), fc.object())
    const data = fc.oneof(
      anything,
      named.map(([numinex, fields]) => ({ ...fields, numinex })),
    )
    fc.assert(
      fc.property(data, (data) => {
        for (const shape of [toHost, toFrame]) {
          const message = parse(shape, data)
          if (message === undefined) continue
          const fields = (shape as Record<string, Record<string, unknown>>)[message.numinex]!
          for (const [field, example] of Object.entries(fields))
            expect(typeof message[field]).toBe(typeof example)
        }
      }),
    )
  })
})

describe('styles of the host page', () => {
  /** The given values under their names, and nothing for the other names. */
  const given = (values: Record<string, unknown>) => styleNames.map((name) => values[name])

  test('are taken where they hold what they may', () => {
    const values = {
      accent: ' #a5432a ',
      'accent-text': 'rebeccapurple',
      background: 'transparent',
      surface: 'rgb(10 20 30 / 50%)',
      text: 'oklch(0.7 0.1 120deg)',
      muted: 'color(display-p3 1 0.5 0)',
      line: 'HSL(120, 50%, 50%)',
      font: `"Source Serif", Georgia, serif`,
      'font-size': '1.125rem',
      radius: '0',
    }
    const expected = Object.entries(values).map(([name, value]) => [`--numinex-${name}`, value.trim()])
    expect(checkedStyles(given(values))).toEqual(Object.fromEntries(expected))
  })

  const hostile = [
    'url(https://evil.example/a)',
    'image-set("https://evil.example/a" 1x)',
    'red;background:url(//evil.example)',
    'red}body{display:none',
    'var(--x)',
    'env(x)',
    'attr(x)',
    'expression(alert(1))',
    '\\75rl(//evil.example)',
    'red/*',
    '*/',
    '</style><script>',
    'rgb(url(x))',
    'rgb(1,2,3',
    '@import "x"',
    'calc(1px*9999)',
    `"${'a'.repeat(300)}"`,
    '',
    ' ',
  ]

  test.each(styleNames)('nothing that could reach or break anything is taken for %s', (name) => {
    for (const value of [...hostile, null, undefined, 7, {}, ['red']])
      expect(checkedStyles(given({ [name]: value })), JSON.stringify(value)).toEqual({})
  })

  test.each(['font-size', 'radius'])('a length that would blow up the page is none: %s', (name) => {
    for (const value of ['99999px', '-1px', '1e3px', '10vw', '1px 1px', '.5em'])
      expect(checkedStyles(given({ [name]: value })), value).toEqual({})
  })

  test('what was taken can end no declaration and call no function but those of colours', () => {
    const bits = fc.constantFrom(
      'rgb(',
      ')',
      'red',
      '1px',
      ';',
      '}',
      'url(',
      '"',
      "'",
      ',',
      '/',
      ' ',
      '\n',
      '\\',
      '*/',
      '#fff',
      'a',
    )
    const value = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.array(bits, { maxLength: 8 }).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.array(value, { maxLength: styleNames.length + 2 }), (values) => {
        for (const [name, value] of Object.entries(checkedStyles(values))) {
          expect(name.replace('--numinex-', '')).toBeOneOf(styleNames)
          expect(value).not.toMatch(
            /[;{}<>\\@*!]|url|var\(|[^a-z](?!rgb|hsl|hwb|lab|lch|okl|color)[a-z-]*\(/i,
          )
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('what is no list of values is nothing', () => {
    fc.assert(fc.property(anything, (given) => (checkedStyles(given), undefined)))
    for (const given of [null, undefined, 'red', { accent: 'red', 0: 'red', length: 1 }])
      expect(checkedStyles(given)).toEqual({})
  })
})

test('the fragment that names a post names one only', () => {
  expect(postFragment.exec('#numinex-17')?.[1]).toBe('17')
  for (const hash of [
    '',
    '#17',
    '#numinex-',
    '#numinex-1a',
    '#numinex-1 ',
    '#numinex-1234567890',
    '#a#numinex-1',
  ])
    expect(postFragment.test(hash), hash).toBe(false)
})
