// @vitest-environment jsdom
import { beforeEach, describe, expect, test } from 'vitest'
import { createLastVisit } from '../../client/app/last-visit.ts'
import { replyNews } from '../../client/app/reply-news.ts'
import { createNews } from '../../client/app/news.ts'
import { refusals } from '../../client/app/problem-text.ts'
import { createStreams, type Streams } from '../../client/app/streams.ts'
import { ada, aPost, aSnapshot, reader } from '../helpers/posts.ts'
import type { Viewer } from '../../client/page-state.ts'
import type { Post } from '../../shared/post.ts'
import { fromSnapshot } from '../../shared/thread-state.ts'
import { aReply } from '../helpers/ai-posts.ts'

describe('replies while they are written', () => {
  let texts: Map<number, string>
  let places: Map<number, HTMLElement>
  let shows: [number: number, text: string][]
  let ended: [number: number, html?: string][]
  let streams: Streams
  const write = (number: number, text: string) => {
    texts.set(number, text)
    streams.grow(number)
  }

  beforeEach(() => {
    texts = new Map()
    places = new Map()
    for (const number of [1, 2, 3]) {
      const place = document.createElement('div')
      place.dataset['number'] = String(number)
      places.set(number, place)
    }
    shows = []
    ended = []
    streams = createStreams({
      createView(into) {
        const number = Number(into.dataset['number'])
        return {
          show: (text) => void shows.push([number, text]),
          settle(html) {
            ended.push([number, html])
            return html.toUpperCase()
          },
          close: () => void ended.push([number]),
        }
      },
      place: (number) => places.get(number) ?? null,
      text: (number) => texts.get(number),
    })
  })

  test('cost nothing far from the view, and show the text so far when they come near', () => {
    write(1, 'a')
    streams.near(2)
    expect(shows).toEqual([])
    streams.near(1)
    write(1, 'ab')
    streams.far(1)
    write(1, 'abc')
    write(1, 'abcd')
    expect(shows).toEqual([
      [1, 'a'],
      [1, 'ab'],
    ])
    streams.near(1)
    expect(shows.at(-1)).toEqual([1, 'abcd'])
  })

  test('hand over to the final text when they end', () => {
    for (const number of [1, 2, 3]) streams.near(number)
    write(1, 'a')
    write(2, 'b')
    expect(streams.end(1, '<p>a</p>')).toBe('<P>A</P>')
    expect(streams.end(2)).toBeUndefined()
    expect(streams.end(3, '<p>c</p>')).toBeUndefined()
    expect(streams.end(1, '<p>a</p>')).toBeUndefined()
    expect(ended).toEqual([[1, '<p>a</p>'], [2]])
  })
})

test('those who were named and do not reply are told of, with the reason', () => {
  expect(
    refusals([
      { persona: 'explain' },
      { persona: 'check', code: 'ai-budget', message: 'The budget is used up.' },
      { persona: 'compare', code: 'ai-busy' },
    ]),
  ).toEqual(['@check does not reply: The budget is used up.', '@compare does not reply: That was refused.'])
})

describe('what is said of replies', () => {
  const writing = aReply(2)
  const one = aPost(1)

  test('is that one begins, once', () => {
    expect(replyNews([one], [one, writing])).toEqual(['Explain is replying'])
    expect(replyNews([one, writing], [one, { ...writing, reactions: [] }])).toEqual([])
    expect(replyNews([one], [one, aPost(2)])).toEqual([])
  })

  test.each([
    ['complete', 'Explain has replied'],
    ['interrupted', 'Explain’s reply was interrupted'],
    ['stopped', 'Explain’s reply was stopped'],
    ['failed', 'Explain’s reply failed'],
  ] as const)('is that it ended: %s', (state, words) => {
    const ended = aReply(2, { state, html: '<p>x</p>' })
    expect(replyNews([one, writing], [one, ended])).toEqual([words])
    expect(replyNews([one, ended], [one, { ...ended }])).toEqual([])
    // Who was away when it was written has a new post, and no news of its making.
    expect(replyNews([one], [one, ended])).toEqual([])
  })
})

describe('news', () => {
  const viewer: Viewer = { ...ada, role: 'member' }
  const asked = (id: string) => ({ asker: { ...ada, id } })

  function tell(before: Post[], after: Post[], inserted: number[]) {
    const counted: unknown[] = []
    const saw: number[] = []
    const status = document.createElement('p')
    const news = createNews({
      unread: { add: (...args) => void counted.push(args) },
      lastVisit: { since: undefined, saw: (last) => void saw.push(last) },
      status,
      viewer: () => viewer,
    })
    news.tell(fromSnapshot(aSnapshot(after)), fromSnapshot(aSnapshot(before)), inserted)
    return { counted, saw, said: status.textContent }
  }

  test('count posts of others, and speak of a reply that begins as such', () => {
    const before = [aPost(1)]
    const after = [
      aPost(1),
      aPost(2, { author: reader }),
      aPost(3, { author: ada }),
      aReply(4, asked('someone')),
      aReply(5, asked(ada.id)),
    ]
    expect(tell(before, after, [2, 3, 4, 5])).toEqual({
      counted: [[[2, 4], 1]],
      saw: [5],
      said: 'Explain is replying. Explain is replying',
    })
  })
})

describe('an earlier visit', () => {
  let kept: string | null
  let now: number
  const visit = () => createLastVisit({ get: () => kept, set: (value) => void (kept = value) }, () => now)

  beforeEach(() => {
    kept = null
    now = 0
  })

  test('is nothing the first time, and then what was there at its end', () => {
    const first = visit()
    expect(first.since).toBeUndefined()
    first.saw(5)
    now += 20 * 60_000
    first.saw(8)
    now += 31 * 60_000
    expect(visit().since).toBe(8)
  })

  test('is not the page that was only loaded again', () => {
    visit().saw(5)
    now += 60 * 60_000
    const second = visit()
    second.saw(9)
    now += 60_000
    const again = visit()
    expect(again.since).toBe(5)
    again.saw(9)
    now += 60 * 60_000
    expect(visit().since).toBe(9)
  })
})
