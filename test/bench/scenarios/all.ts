import type { Scenario } from '../scenario.ts'
import { hot } from './hot.ts'
import { reads } from './reads.ts'
import { rest } from './rest.ts'
import { saturated } from './saturated.ts'

export const scenarios: readonly Scenario[] = [saturated, rest, hot, reads]
