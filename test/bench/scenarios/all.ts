import type { Scenario } from '../scenario.ts'
import { crowd } from './crowd.ts'
import { flood } from './flood.ts'
import { hot } from './hot.ts'
import { joins } from './joins.ts'
import { nodes } from './nodes.ts'
import { reads } from './reads.ts'
import { rest } from './rest.ts'
import { saturated } from './saturated.ts'
import { aiStreams } from './streams.ts'
import { manyThreads } from './threads.ts'

export const scenarios: readonly Scenario[] = [
  saturated,
  flood,
  rest,
  aiStreams,
  crowd,
  manyThreads,
  joins,
  hot,
  reads,
  nodes,
]
