import { describe, expect, it } from 'vitest'
import { createOutline } from '../../client/stream/outline.ts'
import { repair } from '../../client/stream/repair.ts'

const outline = createOutline()
const repaired = (text: string) => repair(text, outline)
const table = (rows: [typed: string, shown: string][]) =>
  it.each(rows)('%j reads %j', (typed, shown) => expect(repaired(typed).text).toBe(shown))

describe('emphasis', () => {
  table([
    ['a **bo', 'a **bo**'],
    ['a **bold ', 'a **bold**'],
    ['a *', 'a '],
    ['a **', 'a '],
    ['a **bold*', 'a **bold**'],
    ['a **bold**', 'a **bold**'],
    ['a *it', 'a *it*'],
    ['a _it', 'a _it_'],
    ['a __strong', 'a __strong__'],
    ['~~gone', '~~gone~~'],
    ['~~gone~', '~~gone~~'],
    ['a ~', 'a '],
    ['***both', '***both***'],
    ['**a *b', '**a *b***'],
    ['**a _b_', '**a _b_**'],
    ['**first\nsecond', '**first\nsecond**'],
    ['**a**\n', '**a**\n'],
    ['- **item', '- **item**'],
    ['> 1. **item', '> 1. **item**'],
    ['## A **head', '## A **head**'],
    ['2*3', '2*3'],
    ['**2*3', '**2*3**'],
    ['snake_case', 'snake_case'],
    ['5 * 3', '5 * 3'],
    ['\\*no', '\\*no'],
    ['a \\', 'a '],
    ['**over\n\n', '**over\n\n'],
  ])
})

describe('code', () => {
  table([
    ['a `co', 'a `co`'],
    ['a `', 'a '],
    ['a ``b` c', 'a ``b` c``'],
    ['a ``b`', 'a ``b``'],
    ['a `**b', 'a `**b`'],
    ['**a `b', '**a `b`**'],
    ['a ` sign\nmore', 'a ` sign\nmore'],
    ['text\n``', 'text\n'],
    ['text\n```', 'text\n'],
    ['text\n```py', 'text\n'],
    ['text\n```py\n', 'text\n'],
    ['```py\na = 1\n``', '```py\na = 1\n'],
    ['- a\n  ```\n  code\n  `', '- a\n  ```\n  code\n'],
    ['```\na **b', '```\na **b'],
    ['```\na\n```', '```\na\n```'],
    ['    code *', '    code *'],
  ])

  it('tells which code has no end yet', () => {
    expect(repaired('```py\na = 1\nb')).toEqual({ text: '```py\na = 1\nb', code: 'a = 1\nb' })
    expect(repaired('> ```py\n> a = 1\n')).toHaveProperty('code', 'a = 1\n')
    expect(repaired('```py\na\n```')).not.toHaveProperty('code')
    expect(repaired('~~~\n```\n').code).toBe('```\n')
  })
})

describe('links', () => {
  table([
    ['see [the', 'see the'],
    ['see [the essay]', 'see the essay'],
    ['see [the essay](', 'see the essay'],
    ['see [the essay](https://ess', 'see the essay'],
    ['see [the essay](https://e.example "Ti', 'see the essay'],
    ['see [the essay](https://e.example)', 'see [the essay](https://e.example)'],
    ['see [the essay][r', 'see the essay'],
    ['see [a **b', 'see a **b**'],
    ['see [a **b** c](htt', 'see a **b** c'],
    ['**see [a](htt', '**see a**'],
    ['![the pic', 'the pic'],
    ['![the pic](htt', 'the pic'],
    ['see [', 'see '],
    ['says [#1', 'says [#1'],
    ['says [#17]', 'says [#17]'],
    ['says [doc §3', 'says [doc §3'],
    ['says [1]', 'says [1]'],
    ['list[0]', 'list[0]'],
    ['a [note] that', 'a [note] that'],
    ['text\n\n[ref]: https://e.exa', 'text\n\n'],
    ['text\n\n[ref]:', 'text\n\n'],
    ['see <https://e.exa', 'see '],
    ['a < b', 'a < b'],
  ])
})

describe('formulas', () => {
  table([
    ['so $x^2 + y', 'so $x^2 + y$'],
    ['so $', 'so '],
    ['so $\\frac{a}{b}\\', 'so $\\frac{a}{b}$'],
    ['so $$x^2$', 'so $$x^2$$'],
    ['so $x$', 'so $x$'],
    ['it cost $5', 'it cost $5'],
    ['it cost $5 and then', 'it cost $5 and then'],
    ['set $HOME', 'set $HOME'],
    ['$$', ''],
    ['$$\n', ''],
    ['a\n$$\n', 'a\n'],
    ['$$\nx = y', '$$\nx = y$$'],
    ['$$\nx = y\n', '$$\nx = y$$'],
    ['$$\nx = y\n$', '$$\nx = y$$'],
    ['$$\nx\n$$', '$$\nx\n$$'],
    ['- a\n  $$\n  x', '- a\n  $$\n  x$$'],
    ['- a\n\n  $$\n  x\n  ', '- a\n\n  $$\n  x$$'],
  ])

  it('tells which formula has no end yet', () => {
    expect(repaired('so $x^2 + y')).toHaveProperty('tex', 'x^2 + y')
    expect(repaired('$$\nx = y\n')).toHaveProperty('tex', 'x = y')
    expect(repaired('```math\nx\n')).toHaveProperty('tex', 'x')
    expect(repaired('so $x$')).not.toHaveProperty('tex')
  })
})

describe('the beginning of a line', () => {
  table([
    ['#', ''],
    ['## ', ''],
    ['text\n-', 'text\n'],
    ['text\n--', 'text\n'],
    ['text\n=', 'text\n'],
    ['text\n===', 'text\n'],
    ['text\n---\n', 'text\n---\n'],
    ['- a\n-', '- a\n'],
    ['- a\n- ', '- a\n'],
    ['- a\n  -', '- a\n'],
    ['- a\n  - ', '- a\n'],
    ['1', ''],
    ['1. a\n2', '1. a\n'],
    ['1. a\n2.', '1. a\n'],
    ['1. a\n2. b', '1. a\n2. b'],
    ['>', ''],
    ['> a\n> ', '> a\n'],
    ['> -', ''],
    ['- [', ''],
    ['- [ ]', ''],
    ['- [x] ', ''],
    ['- [x] a', '- [x] a'],
    ['**', ''],
    ['***', ''],
    ['*', ''],
    ['+', ''],
    ['**text\n-', '**text**'],
  ])
})

describe('tables', () => {
  table([
    ['| a ', ''],
    ['| a | b |\n', ''],
    ['text\n| a |', 'text\n'],
    ['| a | b |\n|', '| a | b |\n| --- | --- |'],
    ['| a | b |\n|--', '| a | b |\n| --- | --- |'],
    ['a | b\n-', 'a | b\n'],
    ['a | b\n--|', 'a | b\n| --- | --- |'],
    ['> | a \\| b | c |\n> |', '> | a \\| b | c |\n> | --- | --- |'],
    ['| a | b |\n|---|---|\n', '| a | b |\n|---|---|\n'],
    ['| a | b |\n|---|---|\n| 1 | **2', '| a | b |\n|---|---|\n'],
    ['| a | b |\n|---|---|\n| 1 | 2 |\n', '| a | b |\n|---|---|\n| 1 | 2 |\n'],
    ['| no table |\nbut text', '| no table |\nbut text'],
  ])
})

describe('signs by name', () => {
  table([
    ['a &am', 'a '],
    ['a &amp;', 'a &amp;'],
    ['a &#x2', 'a '],
    ['a & b', 'a & b'],
  ])
})
