import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Delta, Joined, PostChanged } from '../../shared/live.ts'
import type { Post } from '../../shared/post.ts'
import { apply, fromSnapshot, type ThreadState } from '../../shared/thread-state.ts'
import { aPost, aSnapshot, aThread } from '../helpers/posts.ts'

const { id } = aThread()
const reply = (seq: number, more: Partial<Post> = {}): Post => ({
  ...aPost(2),
  seq,
  state: 'streaming',
  html: '',
  run: 'r',
  ...more,
})
const changed = (post: Post): PostChanged => ({ type: 'post', thread: id, seq: post.seq, post })
const delta = (at: number, text: string, run = 'r'): Delta => ({
  type: 'delta',
  thread: id,
  post: 2,
  run,
  at,
  text,
})
const start = () => apply(fromSnapshot(aSnapshot([aPost(1)])), changed(reply(2)))
const textOf = (state: ThreadState) => state.streams.get(2)?.text

describe('a reply that is being written', () => {
  test('grows, whatever comes twice or overlaps', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 40, unit: 'binary' }),
        fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 30 }),
        (whole, cuts) => {
          let state = start()
          for (const [from, length] of cuts) {
            const at = Math.min(from, whole.length)
            state = apply(state, delta(at, whole.slice(at, at + length)))
            expect(whole.startsWith(textOf(state) ?? '')).toBe(true)
          }
          state = apply(state, delta(textOf(state)?.length ?? 0, whole.slice(textOf(state)?.length ?? 0)))
          expect(textOf(state) ?? '').toBe(whole)
          expect(state.streams.get(2)?.torn ?? false).toBe(false)
        },
      ),
    )
  })

  test('takes no seq, and gives way to the final text', () => {
    const growing = apply(start(), delta(0, 'abc'))
    expect(growing.seq).toBe(2)
    const done = apply(growing, changed(reply(3, { state: 'complete', html: '<p>abc</p>' })))
    expect(done.streams.size).toBe(0)
    // A piece that comes late brings it back no more.
    expect(apply(done, delta(3, 'def'))).toBe(done)
  })

  test('of another run than the post has is nobody’s text', () => {
    const state = start()
    expect(apply(state, delta(0, 'abc', 'other'))).toBe(state)
  })

  test('may begin to come before its post does', () => {
    const early = apply(fromSnapshot(aSnapshot([aPost(1)])), delta(0, 'abc'))
    expect(textOf(early)).toBe('abc')
    expect(textOf(apply(early, changed(reply(2))))).toBe('abc')
    expect(apply(early, changed(reply(2, { state: 'complete' }))).streams.size).toBe(0)
  })

  test('goes on where a join finds it', () => {
    const joined: Joined = {
      type: 'joined',
      thread: id,
      after: 2,
      seq: 2,
      posts: [],
      viewers: 1,
      streams: [{ post: 2, run: 'r', at: 3, text: 'def' }],
    }
    expect(textOf(apply(apply(start(), delta(0, 'abc')), joined))).toBe('abcdef')
    const torn = apply(start(), joined)
    expect(torn.streams.get(2)).toEqual({ run: 'r', text: '', torn: true })
  })
})
