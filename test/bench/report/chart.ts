import { short, spread, type Spread } from '../stats.ts'
import { valuesOf, type ScenarioResults } from './results.ts'

const width = 640
const labels = 150
const numbers = 130
const row = 30
const barHeight = 16
const top = 34

/**
 * A bar for each variant: the median, with a line from the least to the most of the rounds. All colours are legible on
 * light and on dark: an image cannot know what the page around it has chosen.
 */
export function barChart(results: ScenarioResults, key: string): string {
  const { label, better } = results.metrics.find((metric) => metric.key === key)!
  const bars = results.variants.map((variant) => ({
    variant,
    spread: spread(valuesOf(results, variant, key)),
  }))
  const most = Math.max(...bars.map(({ spread: { max } }) => max).filter(Number.isFinite), Number.MIN_VALUE)
  const height = top + bars.length * row + 8
  const direction = better ? `, ${better} is better` : ''
  const described = bars.map(({ variant, spread: { median } }) => `${variant} ${short(median)}`).join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(`${label}${direction}: ${described}`)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #76818d }
.title { font-weight: 600 }
.bar { fill: #8b949e }
.ours { fill: #2f81f7 }
.range { stroke: #d29922; stroke-width: 2 }
</style>
<text class="title" x="0" y="16">${escape(label)}${direction}</text>
${bars.map((bar, i) => drawBar(bar, i, most)).join('\n')}
</svg>
`
}

function drawBar(bar: { variant: string; spread: Spread }, index: number, most: number): string {
  const { min, median, max } = bar.spread
  const x = (value: number) =>
    labels + (Number.isFinite(value) ? value / most : 0) * (width - labels - numbers)
  const y = top + index * row
  const middle = y + barHeight / 2
  const ours = index === 0 ? ' ours' : ''
  return [
    `<text x="${labels - 10}" y="${middle + 4.5}" text-anchor="end">${escape(bar.variant)}</text>`,
    `<rect class="bar${ours}" x="${labels}" y="${y}" width="${(x(median) - labels).toFixed(1)}" height="${barHeight}" rx="2"/>`,
    `<line class="range" x1="${x(min).toFixed(1)}" x2="${x(max).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${(x(max) + 8).toFixed(1)}" y="${middle + 4.5}">${short(median)}</text>`,
  ].join('')
}

const escape = (text: string) =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!)
