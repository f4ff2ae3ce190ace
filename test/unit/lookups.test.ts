import { beforeEach, expect, test, vi } from 'vitest'
import { Problem } from '../../shared/errors.ts'
import type { Identity } from '../../server/accounts/accounts.ts'
import type { Hub } from '../../server/live/hub.ts'
import { liveLimits } from '../../server/live/limits.ts'
import { createLookups, type Lookups } from '../../server/live/lookups.ts'
import { welcomeFrame } from '../../server/live/session-frames.ts'
import { createSession, type Session } from '../../server/live/session.ts'
import { createWatch, type Watch } from '../../server/live/watch.ts'
import { aThread } from '../helpers/posts.ts'

const { lookupsAtOnce, readersRememberedMs } = liveLimits
const crowd = 30

let identify: ReturnType<typeof vi.fn<(headers: Headers) => Promise<Identity | null>>>
let lookups: Lookups
let watch: Watch<Session>
let told: string[]

beforeEach(() => {
  identify = vi.fn((headers: Headers) => Promise.resolve(named(headers.get('cookie')!)))
  lookups = createLookups({ identify: (headers) => identify(headers) })
  watch = createWatch()
  told = []
})

/** Whose cookie says who they are. */
function named(id: string, sessionId: string | null = `session of ${id}`): Identity {
  return { actor: { id, name: id, kind: 'person', role: 'member' }, sessionId }
}

function open(cookie: string): Session {
  const tell = (frame: Buffer) => void told.push(frame.toString())
  return createSession(
    {
      hub: {} as Hub,
      lookups,
      watch,
      welcome: welcomeFrame('n'),
      limited: false,
      now: () => 0,
      onError(error) {
        throw error
      },
    },
    { id: cookie, deliver: tell, mention: tell, close: () => undefined },
    { cookie },
  )
}

const typing = (session: Session) =>
  session.receive(JSON.stringify({ type: 'typing', thread: aThread().id, parent: null }))
const known = (session: Session) => vi.waitFor(() => expect(session.identity).not.toBeNull())

test('a crowd is looked up a few at a time, and who types before the others', async () => {
  const answers: (() => void)[] = []
  identify.mockImplementation(
    (headers) => new Promise((resolve) => answers.push(() => resolve(named(headers.get('cookie')!)))),
  )
  const sessions = Array.from({ length: crowd }, (_, i) => open(`reader ${i}`))
  await vi.waitFor(() => expect(answers).toHaveLength(lookupsAtOnce))
  const last = sessions.at(-1)!
  const typed = typing(last)
  await vi.waitFor(() => expect(answers).toHaveLength(lookupsAtOnce + 1))
  answers.at(-1)!()
  await typed
  expect(last.identity?.actor.id).toBe(`reader ${crowd - 1}`)
  for (let i = 0; answers.length < crowd || i < crowd; i++) {
    await vi.waitFor(() => expect(answers.length).toBeGreaterThan(i))
    expect(sessions.filter(({ identity }) => identity === null).length).toBeGreaterThanOrEqual(
      answers.length - i - 1,
    )
    answers[i]!()
  }
  for (const session of sessions) await known(session)
  expect(identify).toHaveBeenCalledTimes(crowd)
  expect(watch.signedIn()).toHaveLength(crowd)
})

test('who comes back a moment later is known at once', async () => {
  const sessions = Array.from({ length: crowd }, (_, i) => open(`reader ${i}`))
  for (const session of sessions) await known(session)
  for (const session of sessions) session.end()
  const again = Array.from({ length: crowd }, (_, i) => open(`reader ${i}`))
  expect(again.map(({ identity }) => identity?.actor.id)).toEqual(again.map((_, i) => `reader ${i}`))
  expect(watch.concerned('reader 3')).toEqual([again[3]])
  await typing(again[3]!)
  expect(identify).toHaveBeenCalledTimes(crowd)
  await known(open('someone else'))
  expect(identify).toHaveBeenCalledTimes(crowd + 1)
})

test('… but not for long, not after rights have changed, and not by an API key', async () => {
  const now = vi.spyOn(performance, 'now')
  try {
    now.mockReturnValue(1_000)
    const comeBack = async () => {
      open('ada').end()
      const session = open('ada')
      await known(session)
      return session
    }
    ;(await comeBack()).end()
    expect(identify).toHaveBeenCalledTimes(1)
    now.mockReturnValue(1_001 + readersRememberedMs)
    const session = await comeBack()
    expect(identify).toHaveBeenCalledTimes(2)
    lookups.forget()
    session.end()
    expect(open('ada').identity).toEqual(named('ada'))
    lookups.forget()
    expect(open('ada').identity).toBeNull()
    await vi.waitFor(() => expect(identify).toHaveBeenCalledTimes(3))
    lookups.forget()
    identify.mockResolvedValue(named('key', null))
    for (let i = 4; i < 6; i++) {
      const program = open('key')
      await known(program)
      expect(identify).toHaveBeenCalledTimes(i)
      program.end()
    }
  } finally {
    now.mockRestore()
  }
})

test('who lost their rights is not remembered', async () => {
  const session = open('ada')
  await known(session)
  identify.mockResolvedValue(null)
  await session.accountChanged({ userId: 'ada' })
  session.end()
  expect(open('ada').identity).toBeNull()
})

test('where the database could not tell, typing asks again', async () => {
  identify.mockRejectedValueOnce(new Problem('unavailable', { retryMs: 1 }))
  const session = open('ada')
  await vi.waitFor(() => expect(told.join()).toContain('unavailable'))
  expect(session.identity).toBeNull()
  await typing(session)
  expect(session.identity?.actor.id).toBe('ada')
})
