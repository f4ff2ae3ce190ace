// @vitest-environment jsdom
import { expect, test, vi } from 'vitest'
import { createBlocks } from '../../client/stream/blocks.ts'
import { createOutline } from '../../client/stream/outline.ts'
import { createRenderer, type Renderer, type Settled } from '../../client/stream/renderer.ts'
import { createSettledBlocks } from '../../client/stream/settled-blocks.ts'

/** Draws all blocks of a text that are settled; counts how often one is rendered again. */
function drawn(text: string) {
  const renderer = createRenderer({
    thread: 'k3v9x2q7ab',
    publicUrl: 'https://forum.example',
    extras: {},
    want: () => {},
  })
  let times = 0
  const counted = (settled: Settled): Settled => ({
    ...settled,
    again() {
      times += 1
      return counted(settled.again())
    },
  })
  const counting: Renderer = { ...renderer, settle: (block) => counted(renderer.settle(block)) }
  const into = document.createElement('div')
  const settled = createSettledBlocks(into, counting)
  for (const block of createBlocks(createOutline()).add(text)) settled.add(block)
  return { into, settled, times: () => times }
}

const labels = Array.from({ length: 100 }, (_, index) => `label${index}`)
const naming = `${labels.map((label) => `[${label}]`).join(' ')}\n\n`
const text = `${naming.repeat(10)}${labels.map((label) => `[${label}]: https://a.example\n`).join('')}\nend\n\nend\n`

test('blocks are drawn again once for all that is defined by then', () => {
  const { into, settled, times } = drawn(text)
  expect(into.querySelectorAll('a').length).toBe(0)
  expect(settled.improve({}, Infinity)).toBe(true)
  expect(times()).toBe(10)
  expect(into.querySelectorAll('a').length).toBe(10 * labels.length)
})

test('drawing them again ends with the time there is for it, and goes on from there', () => {
  const { settled, times } = drawn(text)
  let now = 0
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now++)
  expect(settled.improve({}, 3)).toBe(false)
  const first = times()
  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(10)
  expect(settled.improve({}, Infinity)).toBe(true)
  expect(times()).toBe(10)
  clock.mockRestore()
})

test('one long address is not repeated wherever it is named', () => {
  const { into, settled } = drawn(
    `${'[a]\n\n'.repeat(100)}[a]: https://a.example/${'x'.repeat(10_000)}\n\nend\n\nend\n`,
  )
  settled.improve({}, Infinity)
  expect(into.innerHTML.length).toBeLessThan(10_000)
})
