import { expect, test } from 'vitest'
import { needOf, nodeLimits, scalingTables, type Costs } from '../bench/report/scaling.ts'

const costs: Costs = {
  write: 10,
  message: 1,
  post: 500,
  hear: 3,
  postgres: 100,
  redis: 5,
  memory: 20_480,
  bytes: 500,
}

test('viewers who hardly hear anything are a matter of memory', () => {
  const need = needOf(costs, { name: '', threads: 1, viewersPerThread: 1_000_000, postsPerSecond: 0.001 })
  expect(need.nodes).toBe(Math.ceil((1_000_000 * costs.memory) / nodeLimits.memoryBytes))
  expect(need.nodesFor.cpu).toBe(1)
})

test('what is said often is written seldom: more posts cost what a message costs, not what a write costs', () => {
  const work = { name: '', threads: 1, viewersPerThread: 100_000 }
  const some = needOf(costs, { ...work, postsPerSecond: 20 })
  const many = needOf(costs, { ...work, postsPerSecond: 200 })
  expect(many.writesPerSecond).toBeLessThan(60)
  // Of ten times the deliveries.
  expect(many.nodes).toBeLessThan(5 * some.nodes)
  expect(some.deliveriesPerSecond).toBe(2_000_000)
})

test('more posts than a node can even hear of cannot be borne by more nodes', () => {
  const need = needOf(costs, { name: '', threads: 1_000_000, viewersPerThread: 1, postsPerSecond: 1 })
  expect(need.nodesFor.cpu).toBe(Infinity)
  expect(scalingTables(costs)).toContain('| nodes of one core |')
})
