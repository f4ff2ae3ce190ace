import { describe, expect, it, test } from 'vitest'
import { createBlocks, labelsIn } from '../../client/stream/blocks.ts'
import { createOutline } from '../../client/stream/outline.ts'
import { repair, repairLimits } from '../../client/stream/repair.ts'
import { limits } from '../../shared/limits.ts'
import { markdownLimits } from '../../shared/markdown-limits.ts'
import { hostileTexts } from '../helpers/hostile-texts.ts'

const outline = createOutline()
const texts = hostileTexts(limits.bodyMax)
const quarters = new Map(hostileTexts(limits.bodyMax / 4))

/** Milliseconds of this process's own time. */
function timeOf(run: () => void): number {
  const begun = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1_000
}

/**
 * What takes four times as long for four times the text passes by far; what takes sixteen times as long does not. A second and
 * a third try are for what else the process had to do in the first.
 */
function growsInProportion(name: string, endings: readonly string[], run: (text: string) => void): void {
  const isInProportion = () => {
    const quarter = timeOf(() => quarters.get(name)!.forEach(run))
    return timeOf(() => endings.forEach(run)) < 9 * quarter + 60
  }
  expect(isInProportion() || isInProportion() || isInProportion()).toBe(true)
}

describe('a repair reads no more than it may, and takes no longer', () => {
  // In the worst case a turn reads twice, as it tries how a formula would end: twice the whole, then sixteen times twice the end.
  const mostTimes = 2 * 16
  const most = 2 * limits.bodyMax + mostTimes * 2_000

  test.each(texts)('of %j', (name, endings) => {
    growsInProportion(name, endings, (text) => {
      let [read, times] = [0, 0]
      repair(text, (source) => {
        read += source.length
        times += 1
        return outline(source)
      })
      expect(times).toBeLessThanOrEqual(mostTimes)
      expect(read).toBeLessThanOrEqual(most)
    })
  })
})

it('takes no longer to find the labels in a text than its length lets expect', () => {
  for (const [name, endings] of texts) growsInProportion(name, endings, labelsIn)
})

/** Each reading is of an eighth more text than the one before, so all of them are of nine times the text, and some. */
const mostRead = 11

test.each(texts)('a block of %j is read a few times in all as it grows', (_, [text]) => {
  let read = 0
  const blocks = createBlocks((source) => {
    read += source.length
    return outline(source)
  })
  const settled = text!.match(/[^]{1,20}/g)!.flatMap((piece) => blocks.add(piece))
  expect(read).toBeLessThan(mostRead * text!.length)
  expect(settled.map(({ source }) => source).join('') + blocks.open()).toBe(text)
})

describe('the end of a long block is mended', () => {
  const items = '- **Item** with `code`, $x$ and [a link](https://a.example), and so on\n'
  const list = items.repeat(Math.ceil((1.2 * repairLimits.whole) / items.length))

  it.each([
    ['- **bo', '- **bo**'],
    ['- ', ''],
    ['- see [the', '- see the'],
    ['- **see [the', '- **see the**'],
    ['- **see [the `co', '- **see the `co`**'],
    ['- a *b and **c &am', '- a *b and **c***'],
    ['- a\n  - **b [c', '- a\n  - **b c**'],
    ['- a\n      - b\n      - **c [d', '- a\n      - b\n      - **c d**'],
    ['  - ```js\n    let a\n    `', '  - ```js\n    let a\n'],
    ['  $$\n  x = y\n  $', '  $$\n  x = y$$'],
    ['\n> > **a [b', '\n> > **a b**'],
    ['\n**a\n-', '\n**a**'],
    ['\n| a | b |\n|-', '\n| a | b |\n| --- | --- |'],
  ])('%j reads %j', (typed, shown) => {
    expect(repair(list + typed, outline).text).toBe(list + shown)
  })

  it('with all of its code and formulas', () => {
    const code = 'const a = 1\n'.repeat(5_000)
    expect(repair(`\`\`\`js\n${code}\`\``, outline)).toEqual({ text: `\`\`\`js\n${code}`, code })
    expect(repair(`\`\`\`math\n${code}`, outline)).toHaveProperty('tex', code.trim())
    const rows = `| a | b |\n|---|---|\n${'| 1 | 2 |\n'.repeat(5_000)}`
    expect(repair(`${rows}| **3`, outline)).toEqual({ text: rows })
  })
})

test('lines with a bar in front are shown when there are too many for a header', () => {
  expect(repair('text\n|a\n|b\n', outline).text).toBe('text\n')
  const many = '|a\n'.repeat(9)
  expect(repair(many, outline).text).toBe(many)
})

test('no more emphasis is closed than may lie within one another', () => {
  const { text } = repair('a *b **c '.repeat(100), outline)
  expect(/\**$/.exec(text)![0].length).toBeLessThanOrEqual(2 * markdownLimits.inlineNesting)
})
