/** Pieces of text that ask much of who reads Markdown when they are repeated, or once did. */
const units = [
  ['&', '&a', '&#1', '&amp;', '<', '<a', '<a ', '<https://a', '\\', '\\\\', '!', '(', '](', 'word '],
  ['`', '`a ', '``a ', '` ``', '`\\', '\\`', '[`', '`[', '$`', '`\n', '`a\n'],
  ['[', '![', '[a]', '[a](', '[a][', '[a](<', '[\n', '[a\n', '[\\', '[*a ', '*[', '[a]: ', '[a]: b\n'],
  ['*', '*a ', '**a ', '***a ', '*a _b ', 'a**b', '_', '_a ', '~~', '~~a ', '*\n'],
  ['$', '$$', '$a ', '$a\n', '$$a ', '$$a\n', '$$\n\n', '$\\$ ', '$ \\ '],
  ['|', '|\n', '|a\n', '||\n', '|-|\n', ':---|', '| a | b |', '| a | b |\n', 'a|b\n', '> |a\n', '- |a\n'],
  ['- ', '- a\n', '- - a\n', '- [ ] ', '1. a\n', '> ', '> a\n', '> - ', '>\n', '#', '# a\n', '=\n', 'a\n-'],
  ['a\n', 'a\n\n', '\n', '\t', '```\n', '~~~\n', '-\n', '+\n', '&\n', '\\\n', '<\n', 'https://a.example/'],
  ['**a `b [c ![d $e $$f ~~g _h <i &j \\k | l\n', '**[`$&<~_!['],
].flat()

/** Texts of about `length` UTF-16 units by what they are made of, each whole and without its last character: its end may decide. */
export function hostileTexts(length: number): [name: string, texts: string[]][] {
  const repeated = units.map((unit): [string, string] => [unit, unit.repeat(Math.ceil(length / unit.length))])
  const shaped: [string, string][] = [
    ['nested lists', nested(length, (depth) => `${'  '.repeat(depth)}- a\n`)],
    ['nested quotes', nested(length, (depth) => `${'>'.repeat(depth + 1)} a\n`)],
    ['runs of backticks', nested(length, (depth) => `${'`'.repeat(depth + 1)} `)],
    ['a row of colons', `a|b\n${':'.repeat(length)}a`],
    ['a wide header', `${'a|'.repeat(length / 2)}\n|`],
    ['a list, then spaces', `- a\n${' '.repeat(length)}b`],
    ['a formula of backslashes', `$$\n${'\\ '.repeat(length / 2)}a`],
    ['a label that goes on', `[doc${' '.repeat(length)}a`],
  ]
  return [...repeated, ...shaped].map(([name, text]) => [
    name,
    endings.map((cut) => text.slice(0, text.length - cut)),
  ])
}

const endings = [0, 1]

function nested(length: number, line: (depth: number) => string): string {
  let text = ''
  for (let count = 0; text.length < length; count++) text += line(count % 40)
  return text
}
