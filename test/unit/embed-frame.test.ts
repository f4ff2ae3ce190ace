// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { payAttention } from '../../client/embed/frame/attention.ts'
import { linkToHost } from '../../client/embed/frame/host-link.ts'
import { createMember, type Member } from '../../client/embed/frame/member.ts'
import { createViewport } from '../../client/embed/frame/viewport.ts'
import { createSession, type Session } from '../../client/app/session.ts'
import type { Viewer } from '../../client/page-state.ts'
import type { ToFrame, ToHost } from '../../shared/widget.ts'
import { Problem } from '../../shared/errors.ts'

const hour = 3_600_000

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  localStorage.clear()
})

describe('the attention of a widget', () => {
  /** Counts what one widget does; those of earlier tests still listen to the same window. */
  function connection() {
    const state = {
      open: false,
      opened: 0,
      wake() {
        if (!state.open) state.opened++
        state.open = true
      },
      pause: () => void (state.open = false),
    }
    return state
  }
  function see(visibility: DocumentVisibilityState): void {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(visibility)
    document.dispatchEvent(new Event('visibilitychange'))
  }
  let live: ReturnType<typeof connection>
  beforeEach(() => {
    live = connection()
    see('visible')
  })

  test('opens the connection in view and in its turn, and lets go some time after it left', () => {
    const { show, see: come } = payAttention(live, false)
    come(true)
    expect(live.open).toBe(false)
    show(true)
    expect(live.open).toBe(true)
    come(false)
    vi.advanceTimersByTime(20_000)
    expect(live.open).toBe(true)
    come(true)
    vi.advanceTimersByTime(20_000)
    expect(live.open).toBe(true)
    come(false)
    vi.advanceTimersByTime(30_000)
    expect(live.open).toBe(false)
    expect(live.opened).toBe(1)
  })

  test('makes room for others at once', () => {
    const { show, see: come } = payAttention(live, true)
    come(true)
    show(false)
    expect(live.open).toBe(false)
  })

  test('a tab that is hidden for an hour holds nothing, and is live again when it is looked at', () => {
    payAttention(live, true).see(true)
    see('hidden')
    vi.advanceTimersByTime(hour)
    expect(live.open).toBe(false)
    expect(live.opened).toBe(1)
    see('visible')
    expect(live.open).toBe(true)
    expect(live.opened).toBe(2)
  })

  test('the network coming back opens nothing that nobody looks at', () => {
    payAttention(live, true)
    window.dispatchEvent(new Event('online'))
    expect(live.opened).toBe(0)
  })
})

describe('the link to the host page', () => {
  const host = 'https://blog.example'
  const parent = { postMessage: vi.fn() }
  const word: ToFrame = {
    numinex: 'page',
    theme: '',
    scheme: 'dark',
    styles: [],
    live: true,
    token: '',
    hash: '',
  }
  let heard: ToFrame[]
  let link: ReturnType<typeof linkToHost>

  function say(data: unknown, origin = host, source: unknown = parent): void {
    window.dispatchEvent(new MessageEvent('message', { data, origin, source: source as Window }))
  }

  beforeEach(() => {
    heard = []
    parent.postMessage.mockReset()
    vi.spyOn(window, 'parent', 'get').mockReturnValue(parent as unknown as Window)
    link = linkToHost(host, (message) => heard.push(message))
  })

  test('hears its own host only, and only what is a message', () => {
    say(word)
    expect(heard).toEqual([word])
    for (const origin of ['https://evil.example', 'https://blog.example.evil', 'null', '']) {
      say(word, origin)
    }
    say(word, host, window)
    say(word, host, null)
    for (const data of [null, 'show', 7, [], {}, { numinex: 'show' }, { numinex: 'show', live: 'yes' }])
      say(data)
    for (const numinex of ['toString', '__proto__', 'constructor', 'size']) say({ ...word, numinex })
    expect(heard).toHaveLength(1)
  })

  test('speaks to the host’s origin and to no other', () => {
    link.send({ numinex: 'count', posts: 3 })
    expect(parent.postMessage.mock.calls).toEqual([[{ numinex: 'count', posts: 3 }, host]])
  })
})

describe('the reader’s session in a widget', () => {
  const ada: Viewer = { id: 'ada', name: 'Ada', kind: 'person', role: 'member' }
  const host = 'https://blog.example'
  let sent: ToHost[]
  let asked: unknown[]
  let answer: () => Promise<unknown>
  let known: () => Promise<Viewer | null>
  let session: Session
  let member: Member

  function open(at = host): void {
    sent = []
    asked = []
    member = createMember({
      host: at,
      site: 'site123456',
      link: { send: (message) => void sent.push(message) },
      api: {
        request: <T>(_method: string, _path: string, body?: unknown) => {
          asked.push(body)
          return answer() as Promise<T>
        },
        whoami: () => known(),
        signOut: () => Promise.resolve({}),
      },
      session: () => session,
    })
    session = createSession(
      { signInGuest: async (name) => ({ id: 'g', name, token: 'guest-token' }) },
      { viewer: null, signIn: () => '#' },
      (viewer, token) => member.changed(viewer, token),
    )
  }
  const vouched = (token = 'session-1') => ({
    user: ada,
    token,
    expiresAt: new Date(Date.now() + hour).toISOString(),
  })

  beforeEach(() => {
    answer = async () => vouched()
    known = async () => ada
    open()
  })

  test('a token of the host makes a session that is kept nowhere, and is renewed before it ends', async () => {
    await member.vouch('jwt')
    expect(asked).toEqual([{ site: 'site123456', token: 'jwt' }])
    expect([session.viewer, member.token, member.way]).toEqual([ada, 'session-1', 'host'])
    expect(localStorage.length).toBe(0)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(0.79 * hour)
    expect(sent).toEqual([])
    vi.advanceTimersByTime(0.02 * hour)
    expect(sent).toEqual([{ numinex: 'signin', reason: 'expired' }])
    answer = async () => vouched('session-2')
    await member.vouch('jwt-2')
    expect(member.token).toBe('session-2')
  })

  test('a refused token is told to the host, and leaves the reader who they were', async () => {
    await session.beGuest('Eve')
    answer = () => Promise.reject(new Problem('token-refused', { detail: 'aud is not this site' }))
    await member.vouch('bad')
    expect(sent).toEqual([
      { numinex: 'error', code: 'token-refused', message: 'aud is not this site' },
      { numinex: 'signin', reason: 'refused' },
    ])
    expect(session.viewer?.name).toBe('Eve')
  })

  test('who signs out at the host is signed out here, but not who signed in by themselves', async () => {
    await member.vouch('jwt')
    await member.vouch(null)
    expect([session.viewer, member.token]).toEqual([null, undefined])
    await session.beGuest('Eve')
    await member.vouch(null)
    expect(session.viewer?.name).toBe('Eve')
  })

  test('the host’s latest word counts, whatever order the answers come in', async () => {
    let late = (_: unknown) => {}
    answer = () => new Promise((resolve) => (late = resolve))
    const first = member.vouch('old')
    answer = async () => vouched('new-session')
    await member.vouch('new')
    late(vouched('old-session'))
    await first
    expect(member.token).toBe('new-session')
  })

  test('a guest is the same on the next visit of this host, and nobody on another’s', async () => {
    await session.beGuest('Eve')
    open()
    await member.resume()
    expect([session.viewer?.id, member.token]).toEqual(['ada', 'guest-token'])
    open('https://other.example')
    await member.resume()
    expect([session.viewer, member.token]).toEqual([null, undefined])
  })

  test('a token that the server does not know any more is forgotten; one that it could not look up is kept', async () => {
    await session.beGuest('Eve')
    open()
    known = () => Promise.reject(new Problem('unavailable'))
    await member.resume()
    expect(session.viewer).toBe(null)
    open()
    known = async () => null
    await member.resume()
    expect([session.viewer, member.token]).toEqual([null, undefined])
  })

  test('without a storage everything works until the page is left', async () => {
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
      throw new Error('refused')
    })
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new Error('refused')
    })
    await member.resume()
    await session.beGuest('Eve')
    expect(member.token).toBe('guest-token')
    await member.signOut()
    expect([session.viewer, member.token]).toEqual([null, undefined])
  })

  test('a session that ended elsewhere is noticed, and the host asked for another', async () => {
    await member.vouch('jwt')
    member.lost()
    expect(session.viewer).toBe(null)
    expect(sent).toEqual([{ numinex: 'signin', reason: 'expired' }])
  })
})

describe('what is read keeps its place in the host page', () => {
  let sent: ToHost[]
  let tops: number[]
  let list: HTMLElement
  let observed: ((entries: object[]) => void) | undefined

  beforeEach(() => {
    sent = []
    tops = [0, 100, 200]
    observed = undefined
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible')
    document.body.innerHTML = '<div id="posts"><p></p><p></p><p></p></div>'
    list = document.getElementById('posts')!
    for (const [i, child] of [...list.children].entries()) {
      child.getBoundingClientRect = () => ({ top: tops[i]!, bottom: tops[i]! + 100 }) as DOMRect
    }
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        constructor(callback: (entries: object[]) => void) {
          observed = callback
        }
        observe() {}
        disconnect() {}
      },
    )
  })

  const grow = (by: number, from: number) => () =>
    void (tops = tops.map((top, i) => (i < from ? top : top + by)))
  const viewport = () => {
    const link = { send: (message: ToHost) => void sent.push(message) }
    return createViewport(link, () => link.send({ numinex: 'size', height: 0 }))
  }

  test('what comes above the view moves the page by as much, what comes below does not', () => {
    const { keepPlace } = viewport()
    keepPlace(list, grow(50, 1))
    observed!([{ isIntersecting: true, intersectionRect: { top: 150 } }])
    // It has to be as high as that before the page can be scrolled there.
    expect(sent).toEqual([
      { numinex: 'size', height: 0 },
      { numinex: 'shift', by: 50 },
    ])
    keepPlace(list, grow(70, 2))
    observed!([{ isIntersecting: true, intersectionRect: { top: 160 } }])
    expect(sent).toHaveLength(2)
  })

  test('nothing moves where the frame is out of view, and many changes are one', () => {
    const { keepPlace } = viewport()
    const first = vi.fn()
    keepPlace(list, first)
    keepPlace(list, grow(50, 0))
    observed!([{ isIntersecting: false }])
    expect(first).not.toHaveBeenCalled()
    expect(tops).toEqual([50, 150, 250])
    expect(sent).toEqual([])
  })

  test('in a hidden page, which draws nothing, changes are not put off', () => {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden')
    const change = vi.fn()
    viewport().keepPlace(list, change)
    expect(change).toHaveBeenCalledOnce()
  })
})
