import { describe, expect, test, vi } from 'vitest'
import { createFanOut, type Ear, type FanOut } from '../../server/live/fan-out.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { soon } from '../helpers/pages.ts'

/** A viewer that keeps what it is told, a list a frame. `cost` is how long a write keeps the thread busy, in milliseconds. */
function viewer(id: string, cost = 0) {
  const frames: string[][] = []
  const write = (frame: Buffer) => {
    const until = performance.now() + cost
    while (performance.now() < until);
    const header = frame[1]! < 126 ? 2 : frame[1] === 126 ? 4 : 10
    frames.push(frame.toString('utf8', header).split('\n'))
  }
  return { id, frames, lines: () => frames.flat(), deliver: write, mention: write }
}

function start() {
  const delivered = vi.fn()
  return { delivered, fanOut: createFanOut({ delivered, lag: { observe: vi.fn() } as never }) }
}

const say = (fanOut: FanOut, ...lines: string[]) => {
  for (const line of lines) fanOut.say({ line }, Date.now())
}

describe('fan-out', () => {
  test('what is said in one turn is one frame, in the same turn of the event loop', async () => {
    const { fanOut, delivered } = start()
    const one = viewer('one')
    fanOut.add(one, 'all')
    say(fanOut, 'a', 'b', 'c')
    expect(one.frames).toEqual([])
    await new Promise(setImmediate)
    expect(one.frames).toEqual([['a', 'b', 'c']])
    expect(delivered.mock.calls).toEqual([[3, 1]])
  })

  test('who comes between what is said and its frame is not told it', async () => {
    const { fanOut } = start()
    const [early, middle, late] = [viewer('early'), viewer('middle'), viewer('late')]
    fanOut.add(early, 'all')
    say(fanOut, 'a')
    fanOut.add(middle, 'all')
    say(fanOut, 'b')
    fanOut.add(late, 'all')
    await expect.poll(early.lines, soon).toEqual(['a', 'b'])
    expect([middle.lines(), late.lines()]).toEqual([['b'], []])
  })

  test('each ear hears its own', async () => {
    const { fanOut } = start()
    const ears: Ear[] = ['all', 'brief', 'quiet']
    const viewers = ears.map((ear) => viewer(ear))
    ears.forEach((ear, i) => fanOut.add(viewers[i]!, ear))
    fanOut.say({ line: 'piece', brief: 'p', passing: true }, Date.now())
    say(fanOut, 'post')
    await expect.poll(() => viewers[2]!.lines(), soon).toEqual(['post'])
    expect(viewers.map((each) => each.lines())).toEqual([['piece', 'post'], ['p', 'post'], ['post']])
  })

  test('a long round lets others in, keeps the order, and knows who left or came again meanwhile', async () => {
    const { fanOut } = start()
    const cost = (3 * liveLimits.sliceMs) / liveLimits.sliceWrites / 2
    const viewers = Array.from({ length: 4 * liveLimits.sliceWrites }, (_, i) => viewer(String(i), cost))
    for (const each of viewers) fanOut.add(each, 'all')
    say(fanOut, 'a')
    const [first, second, third, last] = [viewers[0]!, ...viewers.slice(-3)] as [
      ReturnType<typeof viewer>,
      ReturnType<typeof viewer>,
      ReturnType<typeof viewer>,
      ReturnType<typeof viewer>,
    ]
    await expect.poll(first.lines, { ...soon, interval: 0 }).toEqual(['a'])
    // In the midst of the round: another turn of the event loop came between its slices.
    expect(last.lines()).toEqual([])
    say(fanOut, 'b')
    fanOut.remove(second.id)
    fanOut.add(third, 'all')
    await expect.poll(last.lines, soon).toEqual(['a', 'b'])
    expect([first.lines(), second.lines(), third.lines()]).toEqual([['a', 'b'], [], []])
    say(fanOut, 'c')
    await expect.poll(third.lines, soon).toEqual(['c'])
  })

  test('the longer a round takes, the more lines the next one carries', async () => {
    const { fanOut } = start()
    const slow = viewer('slow', 5)
    fanOut.add(slow, 'all')
    const lines = Array.from({ length: 40 }, (_, i) => String(i))
    for (const line of lines) {
      say(fanOut, line)
      await new Promise(setImmediate)
    }
    await expect.poll(slow.lines, soon).toEqual(lines)
    expect(slow.frames.length).toBeLessThan(8)
  })

  test('who is closed says nothing more', async () => {
    const { fanOut } = start()
    const one = viewer('one')
    fanOut.add(one, 'all')
    say(fanOut, 'a')
    fanOut.close()
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(one.frames).toEqual([])
  })
})
