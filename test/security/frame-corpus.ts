import { up } from '../../shared/live.ts'
import { limits } from '../../shared/limits.ts'
import type { Random } from '../helpers/random.ts'

/** What the server makes of a text frame that reaches it whole. */
export type Verdict = 'understood' | 'invalid' | 'too-large'

export function verdictOn(frame: string): Verdict {
  if (Buffer.byteLength(frame) > limits.frameBytes) return 'too-large'
  try {
    return up.safeParse(JSON.parse(frame)).success ? 'understood' : 'invalid'
  } catch {
    return 'invalid'
  }
}

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'.split('')

export function unknownThread(random: Random): string {
  return Array.from({ length: 10 }, () => random.pick(alphabet)).join('')
}

/** JSON texts that stand where another value is expected. */
export const strangeValues = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e308',
  '1e400',
  '-1e400',
  '9007199254740991',
  '9007199254740993',
  '2147483648',
  '0.1e-400',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u202e"',
  '"__proto__"',
  '"NaN"',
  '"constructor"',
  '"1"',
  '"k3v9x2q7ab\\n"',
  '"../../etc/passwd"',
  `"' OR 1=1; DROP TABLE posts; --"`,
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__":{"polluted":true}}',
  '{"toString":1}',
  '{"then":1}',
  '{"length":-1}',
  '{"type":"join"}',
]

/** The same, and large: taken now and then, for the sake of the test's time. */
export const largeValues = [
  `"${'a'.repeat(5_000)}"`,
  `"${'\\u0000'.repeat(1_000)}"`,
  `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
  `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`,
  `[${'1,'.repeat(3_000)}1]`,
  '9'.repeat(4_000),
  `0.${'0'.repeat(4_000)}1`,
]

const strangeValue = (random: Random) => random.pick(random.chance(0.03) ? largeValues : strangeValues)

export const strangeFields = [
  '"__proto__":{"polluted":true}',
  '"constructor":{"prototype":{}}',
  '"x":1',
  '"type":"join"',
  '"":null',
  '"toString":0',
]

/** Tokens that the schema lets through. */
const strangeTokens = [
  '',
  ' ',
  '\n',
  'a\r\nx-api-key: b',
  '\0',
  'Bearer x',
  'ü',
  '💥',
  '\u202e',
  'a.b.c',
  'a'.repeat(4_096),
  '%00',
  '..',
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
  "' OR 1=1 --",
  '\ud800',
  'x;y=z',
  'null',
  'undefined',
  '__proto__',
]

/** The fields of a message as JSON texts. */
function message(random: Random, thread: string): Record<string, string> {
  const place = { thread: JSON.stringify(random.chance(0.5) ? thread : unknownThread(random)) }
  switch (random.int(5)) {
    case 0:
      return {
        type: '"join"',
        ...place,
        after: random.pick(['0', '1', '7', '1e9', '9007199254740991', '-0', '0.0e1']),
      }
    case 1:
      return { type: '"leave"', ...place }
    case 2:
      return { type: '"typing"', ...place, parent: random.pick(['null', '1', '2147483647', '1e3']) }
    case 3:
      return {
        type: '"text"',
        ...place,
        post: '1',
        run: JSON.stringify(random.pick(strangeTokens).slice(0, 60)),
      }
    default:
      return { type: '"auth"', token: JSON.stringify(random.pick(strangeTokens)) }
  }
}

const written = (fields: string[]) => `{${fields.join(',')}}`

/** A message with one thing changed, or with none: any of its fields, their names, their number, or the text around them. */
export function strangeMessage(random: Random, thread: string): string {
  const fields = Object.entries(message(random, thread))
  const texts = fields.map(([name, value]) => `"${name}":${value}`)
  const at = random.int(fields.length)
  const [name, value] = fields[at]!
  switch (random.int(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      texts[at] = `"${name}":${strangeValue(random)}`
      return written(texts)
    case 4:
      return written(texts.toSpliced(at, 1))
    case 5:
      return written([...texts, random.pick(strangeFields)])
    case 6:
      // Said twice: the latter counts, as in any JSON.
      return written([`"${name}":${strangeValue(random)}`, ...texts])
    case 7:
      return written(
        texts.with(
          at,
          `"${name
            .split('')
            .map((c) => `\\u00${c.charCodeAt(0).toString(16)}`)
            .join('')}":${value}`,
        ),
      )
    case 8:
      return written(texts).slice(0, random.int(40))
    case 9:
      return random.pick(['\ufeff', '\t\r\n ', '//', '[', '\u2028']) + written(texts)
    case 10:
      return written(texts) + random.pick(['\n', '\n{}', ',', '\0', ']', written(texts)])
    case 11:
      return written(texts.with(at, `'${name}':${value}`))
    case 12:
      return written(texts).padEnd(
        random.chance(0.05) ? random.pick([8_190, 8_193, 9_000, 60_000]) : 500,
        ' ',
      )
    default:
      return written(texts)
  }
}

/** Text that is no message at all. */
export function noise(random: Random): string {
  switch (random.int(5)) {
    case 0:
      return strangeValue(random)
    case 1:
      return random.bytes(random.int(300)).toString('latin1')
    case 2:
      return String.fromCodePoint(...Array.from({ length: random.int(50) }, () => random.int(0xd800)))
    case 3:
      return random.pick([
        '',
        '\0',
        'GET / HTTP/1.1',
        '<xml/>',
        'undefined',
        '{"type":"welcome"}',
        '{"type":"__proto__"}',
        '[{"type":"leave"}]',
      ])
    default:
      return '['.repeat(random.int(random.chance(0.05) ? 8_000 : 100))
  }
}

/** A message that the server understands and that asks for something strange. */
export function understood(random: Random, thread: string): string {
  for (;;) {
    const text = strangeMessage(random, thread)
    if (verdictOn(text) === 'understood') return text
  }
}

/** A text that the server must reject. */
export function rejected(random: Random, thread: string): string {
  for (;;) {
    const text = random.chance(0.7) ? strangeMessage(random, thread) : noise(random)
    if (verdictOn(text) !== 'understood' && text.isWellFormed()) return text
  }
}
