import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Bus } from '../../server/bus/bus.ts'
import { createMemoryLiveText } from '../../server/bus/live-text.ts'
import { createMemoryBus } from '../../server/bus/memory.ts'
import { createHub, type Hub } from '../../server/live/hub.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLiveMetrics, type LiveMetrics } from '../../server/live/metrics.ts'
import { describeStores } from '../helpers/store.ts'

const nowhere = '1111111111'

describeStores('the rooms of a node', (store) => {
  let hub: Hub
  let metrics: LiveMetrics

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'performance'] })
    open(createMemoryBus())
  })
  afterEach(async () => {
    vi.useRealTimers()
    await hub.close()
  })

  function open(bus: Bus): void {
    metrics = createLiveMetrics(new Registry())
    const log = pino({ level: 'silent' })
    hub = createHub({ db: store.db, bus, liveText: createMemoryLiveText(), log, metrics, node: 'n' })
  }

  const rooms = async () => (await metrics.rooms.get()).values[0]!.value
  const tick = () => vi.advanceTimersByTimeAsync(1_000)
  const viewer = { id: 'v', deliver: () => undefined, mention: () => undefined }

  test('one for a thread that is not there goes with its last viewer', async () => {
    const room = await hub.room(nowhere, true)
    await room.join(viewer, { after: 0 })
    await tick()
    await tick()
    expect(await rooms()).toBe(1)
    room.leave(viewer)
    await tick()
    expect(await rooms()).toBe(0)
  })

  test('who waits for a thread is not turned away with those who do not', async () => {
    const answers = await Promise.allSettled([hub.room(nowhere), hub.room(nowhere, true), hub.room(nowhere)])
    expect(answers.map((answer) => (answer.status === 'rejected' ? answer.reason.code : 'open'))).toEqual([
      'thread-not-found',
      'open',
      'thread-not-found',
    ])
    expect(await rooms()).toBe(1)
  })

  test('one that is slow to open is not taken for one without viewers', async () => {
    await hub.close()
    // It waits for this bus a second.
    open({ ...createMemoryBus(), subscribe: () => new Promise(() => undefined) })
    const opening = hub.room(nowhere, true)
    await vi.advanceTimersByTimeAsync(2 * liveLimits.lingerMs)
    const room = await opening
    await room.join(viewer, { after: 0 })
    expect(room.size).toBe(1)
    expect(await hub.room(nowhere, true)).toBe(room)
  })
})
