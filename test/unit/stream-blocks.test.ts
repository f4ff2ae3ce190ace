import { describe, expect, it } from 'vitest'
import { createBlocks, labelsIn } from '../../client/stream/blocks.ts'
import { createOutline } from '../../client/stream/outline.ts'
import { longReply } from '../helpers/stream-texts.ts'

const outline = createOutline()

function read(text: string): { settled: string[]; open: string } {
  const blocks = createBlocks(outline)
  const settled = text.split('').flatMap((character) => blocks.add(character))
  return { settled: settled.map(({ source }) => source), open: blocks.open() }
}

describe('a block is settled', () => {
  it.each<[text: string, settled: string[]]>([
    ['a\n', []],
    ['a\n\nb', []],
    ['a\n\nb\n', ['a\n']],
    ['# a\nb\n', ['# a\n']],
    ['- a\n- b\n\n- c\n', []],
    ['- a\n\n  b\n\nc\n', ['- a\n\n  b\n\n']],
    ['- a\n* b\n', ['- a\n']],
    ['> a\nb\n', []],
    ['> a\n\nb\n', ['> a\n\n']],
    ['```\na\n\nb\n', []],
    ['```\na\n\nb\n```\nc\n', ['```\na\n\nb\n```\n']],
    ['    a\n\n    b\n\n', []],
    ['    a\n\n    b\nc\n', ['    a\n\n    b\n']],
    ['a\n===\nb\n', ['a\n===\n']],
    ['|a|\n|-|\n|b|\nc\n', []],
    ['|a|\n|-|\n|b|\n\nc\n', ['|a|\n|-|\n|b|\n']],
    ['$$\n- a\n* b\n', []],
    ['$$\n- a\n$$\n\nb\n', ['$$\n- a\n$$\n']],
    ['a\n\n[b]: https://b.example\n', ['a\n']],
    ["[b]: https://b.example\n'c\n\nd\n", ["[b]: https://b.example\n'c\n"]],
    ['a\r\n\r\nb\r\n', ['a\n']],
  ])('in %j as %j', (text, settled) => {
    const found = read(text)
    // Empty lines go with the block above or below them.
    expect(found.settled.map((source) => source.trim())).toEqual(settled.map((source) => source.trim()))
    expect(found.settled.join('') + found.open).toBe(text.replaceAll('\r\n', '\n'))
  })
})

it('reads no more of a long text for its next piece than of a short one', () => {
  let largest = 0
  const measured = createBlocks((source) => {
    largest = Math.max(largest, source.length)
    return outline(source)
  })
  const most = (text: string) => {
    largest = 0
    for (const piece of text.match(/[^]{1,4}/g)!) measured.add(piece)
    return largest
  }
  const part = longReply(1_000)
  const first = most(part)
  for (let more = 0; more < 10; more++) most(part)
  expect(most(part)).toBeLessThan(1.5 * first)
  expect(first).toBeLessThan(part.length / 2)
})

it('finds labels within and behind other brackets, and those with brackets in them', () => {
  expect([...labelsIn('[a [b] c] [ d\n> e ][f] [g \\] h] \\[no] ] [] [i')]).toEqual([
    'B',
    'D E',
    'F',
    'G \\] H',
  ])
})

it('knows what a block defines, names and has of code', () => {
  const [block] = createBlocks(outline).add(
    '> See [this One], [that][Two]\n> [three]: /t/k3v9x2q7ab/2\n\n# next\n',
  )
  expect([...block!.labels]).toEqual(expect.arrayContaining(['THIS ONE', 'TWO']))
  const blocks = createBlocks(outline)
  const [list] = blocks.add('- ```js\n  one\n  ```\n- ~~~\n  two\n  ~~~\n\n# next\n')
  expect(list!.code).toBe('one\ntwo\n'.length)
  const [definition] = blocks.add('\n[A b]: <https://x.example> "Title"\n\npara\n\nmore\n').slice(1)
  expect([...definition!.definitions]).toEqual([['A B', { href: 'https://x.example', title: 'Title' }]])
})
