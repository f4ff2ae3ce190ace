import { expect, test } from 'vitest'
import { barChart } from '../bench/report/chart.ts'
import { replaceMarked } from '../bench/report/files.ts'
import type { ScenarioResults } from '../bench/report/results.ts'
import { markdownTable, tableRows } from '../bench/report/table.ts'
import { percentiles, ratios, rotated, short, spread } from '../bench/stats.ts'

test('percentiles are values that occurred', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(percentiles(hundred)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 })
  expect(percentiles([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7 })
  expect(percentiles([])).toEqual({ p50: NaN, p95: NaN, p99: NaN, max: NaN })
})

test('a spread is of all rounds', () => {
  expect(spread([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 })
  expect(spread([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 })
  expect(spread([])).toEqual({ min: NaN, median: NaN, max: NaN })
})

test('ratios are taken within a round', () => {
  // The second round was slow for both, and says the same.
  expect(ratios([10, 5, 12], [20, 10, 20])).toEqual({ min: 0.5, median: 0.5, max: 0.6 })
})

test('everyone begins a round in turn', () => {
  expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual([
    'abc',
    'bca',
    'cab',
    'abc',
  ])
})

test('numbers are shown with three digits', () => {
  expect([0.012345, 1.5, 123.45, 1234.5, 1e6, 0, NaN].map(short)).toEqual([
    '0.0123',
    '1.5',
    '123',
    '1,235',
    '1,000,000',
    '0',
    '–',
  ])
})

const results: ScenarioResults = {
  name: 's',
  title: 'T',
  about: 'A',
  variants: ['numinex', 'ws'],
  metrics: [
    { key: 'rate', label: 'deliveries/s', better: 'higher' },
    { key: 'size', label: 'bytes' },
    { key: 'never', label: 'not measured' },
  ],
  charts: ['rate'],
  at: '2026-01-01T00:00:00.000Z',
  load: 0,
  measured: {
    numinex: [
      { numbers: { rate: 30, size: 5 }, notes: [] },
      { numbers: { rate: 20, size: 5 }, notes: [] },
    ],
    ws: [
      { numbers: { rate: 10, size: 4 }, notes: [] },
      { numbers: { rate: 20, size: 4 }, notes: [] },
    ],
  },
}

test('a table compares the first with the others, and leaves out what nobody measured', () => {
  expect(tableRows(results)).toEqual([
    ['', 'numinex', 'ws', 'numinex : ws'],
    ['deliveries/s ↑', '25 (20 – 30)', '15 (10 – 20)', '2.00× (1.00 – 3.00)'],
    ['bytes', '5', '4', ''],
  ])
  expect(markdownTable(results).split('\n')[1]).toBe('| --- | ---: | ---: | ---: |')
})

test('a chart has a bar for each', () => {
  const svg = barChart(results, 'rate')
  expect(svg.match(/<rect/g)).toHaveLength(2)
  expect(svg).toContain('deliveries/s, higher is better: numinex 25, ws 15')
  // The greatest value ends where the numbers begin.
  expect(svg).toContain('x1="390.0" x2="510.0"')
})

test('only the marked part of a page is written', () => {
  const begin = '<!-- results: begin (written by npm run bench) -->'
  const page = `before\n${begin}\nold\n<!-- results: end -->\nafter\n`
  expect(replaceMarked(page, 'new')).toBe(`before\n${begin}\n\nnew\n\n<!-- results: end -->\nafter\n`)
  expect(() => replaceMarked('nothing', 'new')).toThrow('no marked part')
})
