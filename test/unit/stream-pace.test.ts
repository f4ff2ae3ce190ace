// @vitest-environment jsdom
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { paceLimits, type Pace } from '../../client/stream/pace.ts'
import { createStreamView, type StreamView } from '../../client/stream/stream-view.ts'

/** Milliseconds between two frames. */
const frameMs = 16

/** The page's clock, and what is to be done by it. Both only go on in `passes`. */
interface Page {
  /** An element whose layout takes so many milliseconds each time that somebody asks for its place. */
  element(layoutMs: number): HTMLElement
  /** Lets so many milliseconds pass; `eachFrame` is called at the beginning of each frame. Returns those in which it was busy. */
  passes(ms: number, eachFrame?: () => void): number
  /** Waits until what draws is loaded: something is to be done then. */
  loaded(): Promise<void>
}

function createPage(): Page {
  let now = 0
  let tasks: { id: number; at: number; run: () => void }[] = []
  let last = 0
  const nextFrame = () => (Math.floor(now / frameMs) + 1) * frameMs
  const add = (run: () => void, at: number) => {
    tasks.push({ id: ++last, at, run })
    return last
  }
  const drop = (id: number | undefined) => void (tasks = tasks.filter((task) => task.id !== id))
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => add(run, nextFrame()))
  vi.stubGlobal('cancelAnimationFrame', drop)
  vi.stubGlobal('setTimeout', (run: () => void, ms: number) => add(run, now + ms))
  vi.stubGlobal('clearTimeout', drop)
  onTestFinished(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
  return {
    element(layoutMs) {
      const element = document.createElement('div')
      element.getBoundingClientRect = () => {
        now += layoutMs
        return new DOMRect()
      }
      return element
    },
    passes(ms, eachFrame) {
      let busy = 0
      const until = now + ms
      let frame = nextFrame()
      for (;;) {
        if (eachFrame !== undefined && now >= frame) {
          frame = nextFrame()
          eachFrame()
        }
        const [task] = tasks.toSorted((a, b) => a.at - b.at)
        const at = Math.min(task?.at ?? until, eachFrame === undefined ? until : frame)
        if (Math.max(at, now) >= until) break
        now = Math.max(at, now)
        if (task === undefined || task.at > now) continue
        drop(task.id)
        const before = now
        task.run()
        busy += now - before
      }
      now = Math.max(now, until)
      return busy
    },
    loaded: () => vi.waitUntil(() => tasks.length > 0, { interval: 5 }).then(() => {}),
  }
}

const at = { thread: 'k3v9x2q7ab', publicUrl: 'https://forum.example' }

interface Reply {
  into: HTMLElement
  view: StreamView
  grow(): void
  /** How often its text has changed, as far as it was looked at. */
  changes(): number
}

async function aReply(layoutMs: number, pace: Pace): Promise<Reply> {
  const into = page.element(layoutMs)
  const view = createStreamView(into, { ...at, pace })
  let [length, changes, seen] = [0, 0, '']
  view.show('word ')
  await page.loaded()
  return {
    into,
    view,
    grow: () => view.show('word '.repeat(++length)),
    changes() {
      if (into.textContent !== seen) changes += 1
      seen = into.textContent
      return changes
    },
  }
}

let page: Page
beforeEach(() => void (page = createPage()))

test.each([
  ['one reply', 1, 50],
  ['three replies', 3, 50],
  ['a reply that takes half a second', 1, 250],
])('%s, slow to draw, leave most of the time to the page', async (_, count, layoutMs) => {
  const pace = { even: 0 }
  const replies: Reply[] = []
  while (replies.length < count) {
    replies.push(await aReply(layoutMs, pace))
    page.passes(2_000)
  }
  const ms = 20_000
  const busy = page.passes(ms, () => {
    for (const { grow, changes } of replies) {
      changes()
      grow()
    }
  })
  expect(busy / ms).toBeLessThan(paceLimits.share + 0.08)
  expect(busy / ms).toBeGreaterThan(paceLimits.share / 2)
  page.passes(10_000)
  for (const { into, view, changes } of replies) {
    expect(changes()).toBeGreaterThan(5)
    expect(into.textContent.trim().split(/\s+/).length).toBeGreaterThan(ms / frameMs / 2)
    view.close()
  }
})

test('a reply that is drawn quickly is drawn with every frame', async () => {
  const { grow, changes, view } = await aReply(1, { even: 0 })
  page.passes(1_000, () => {
    changes()
    grow()
  })
  expect(changes()).toBeGreaterThan(0.9 * (1_000 / frameMs))
  view.close()
})

test('nothing is drawn any more when the view is closed while it rests', async () => {
  const { into, view } = await aReply(200, { even: 0 })
  page.passes(20)
  view.show('word word ')
  view.close()
  expect(into.textContent).toContain('word word')
  expect(page.passes(10_000)).toBe(0)
})
