// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createAsking, type Asking, type AskingParts } from '../../client/app/asking.tsx'
import { createPersonas } from '../../client/app/personas.ts'
import type { Viewer } from '../../client/page-state.ts'
import { Problem } from '../../shared/errors.ts'
import type { Ask } from '../../shared/http.ts'
import type { Persona } from '../../shared/persona.ts'
import type { Post } from '../../shared/post.ts'
import { lastFrame } from '../helpers/last-frame.ts'
import { ada, aPost } from '../helpers/posts.ts'
import { aPersona, aReply, explain } from '../helpers/ai-posts.ts'

let article: HTMLElement
let button: HTMLElement
let viewer: Viewer | null
let named: string[]
let requests: { to: number; input: Ask }[]
let answer: () => Promise<Post>
let fetches: number
let list: () => Promise<Persona[]>
let asked: Post[]
let open: Map<number, boolean>
let asking: Asking

function start(more: Partial<AskingParts> = {}): void {
  let ids = 0
  asking = createAsking({
    thread: 'thread1234',
    api: {
      ask(_thread, to, input) {
        requests.push({ to, input })
        return answer()
      },
    },
    personas: createPersonas({
      personas() {
        fetches++
        return list()
      },
    }),
    session: {
      get viewer() {
        return viewer
      },
      signIn: '/sign-in',
      become: () => undefined,
      async beGuest(name) {
        if (viewer !== null) return
        named.push(name)
        viewer = { id: 'g', name, kind: 'guest', role: 'guest' }
      },
    },
    newId: () => `id-${++ids}`,
    since: () => undefined,
    onOpen: (number, is) => void open.set(number, is),
    onAsked: (post) => void asked.push(post),
    ...more,
  })
}

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined
  document.body.innerHTML = '<article><button>Ask AI</button></article>'
  article = document.querySelector('article')!
  button = document.querySelector('button')!
  viewer = { ...ada, role: 'member' }
  named = []
  requests = []
  asked = []
  open = new Map()
  fetches = 0
  answer = () => Promise.resolve(aReply(7))
  list = () =>
    Promise.resolve([
      aPersona('explain', { id: explain.id }),
      aPersona('mods', { askers: 'moderators' }),
      aPersona('offline', { offline: true }),
      aPersona('agent', { external: true }),
    ])
  start()
})

afterEach(lastFrame)

const handles = () =>
  [...article.querySelectorAll<HTMLElement>('.persona')].map(({ dataset }) => dataset['handle'])
const persona = (handle: string) => article.querySelector<HTMLElement>(`.persona[data-handle="${handle}"]`)!
const panel = () => article.querySelector('.ask-panel')
const problem = () => article.querySelector('.problem')?.textContent ?? ''

async function openPanel(): Promise<void> {
  button.focus()
  asking.toggle(aPost(5), article)
  await expect.poll(handles).toEqual(['explain', 'offline'])
}

/** Types into a field, and lets the panel take note. */
async function type(field: string, text: string): Promise<void> {
  const input = article.querySelector<HTMLInputElement>(field)!
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
  await new Promise((resolve) => setTimeout(resolve, 0))
}

function press(key: string): void {
  document.activeElement!.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
  )
}

describe('the panel', () => {
  test('offers those that the reader may ask, with what they are; they are fetched once', async () => {
    await openPanel()
    expect(article.textContent).toContain('What explain does.')
    expect(article.textContent).toContain('a-model')
    expect(persona('offline').textContent).toContain('offline: picks sentences only')
    expect(open.get(5)).toBe(true)
    asking.toggle(aPost(5), article)
    expect(panel()).toBeNull()
    expect(open.get(5)).toBe(false)
    await openPanel()
    expect(fetches).toBe(1)
  })

  test('asks by one press, with the reader’s own line, and closes', async () => {
    await openPanel()
    await type('.ask-request input', '  explain section 2 ')
    persona('explain').click()
    await expect.poll(panel).toBeNull()
    expect(requests).toEqual([
      { to: 5, input: { persona: 'explain', request: 'explain section 2', clientId: 'id-1' } },
    ])
    expect(asked.map(({ number }) => number)).toEqual([7])
    expect(document.activeElement).toBe(button)
  })

  test('says how far the reader knew the thread', async () => {
    start({ since: () => 12 })
    await openPanel()
    persona('explain').click()
    await expect.poll(() => requests.length).toBe(1)
    expect(requests[0]!.input).toEqual({ persona: 'explain', clientId: 'id-1', since: 12 })
  })

  test('goes by arrow keys, and Escape brings the focus back', async () => {
    await openPanel()
    expect(document.activeElement).toBe(persona('explain'))
    press('ArrowDown')
    expect(document.activeElement).toBe(persona('offline'))
    press('ArrowDown')
    expect(document.activeElement).toBe(persona('offline'))
    press('ArrowUp')
    press('ArrowUp')
    expect(document.activeElement).toBe(article.querySelector('.ask-request input'))
    press('Escape')
    expect(panel()).toBeNull()
    expect(document.activeElement).toBe(button)
    expect(requests).toEqual([])
  })

  test('leaves the focus to who writes already while the list is on its way', async () => {
    let arrive = (_: Persona[]) => {}
    list = () => new Promise((resolve) => (arrive = resolve))
    asking.toggle(aPost(5), article)
    const field = article.querySelector<HTMLInputElement>('.ask-request input')!
    await expect.poll(() => fetches).toBe(1)
    field.focus()
    arrive([aPersona('explain')])
    await expect.poll(handles).toEqual(['explain'])
    expect(document.activeElement).toBe(field)
  })

  test('asks who has no name for one first', async () => {
    viewer = null
    await openPanel()
    expect(document.activeElement).toBe(article.querySelector('.composer-name input'))
    persona('explain').click()
    await expect.poll(problem).toContain('Write your name first')
    expect(requests).toEqual([])
    await type('.composer-name input', 'Mira')
    persona('explain').click()
    await expect.poll(() => asked.length).toBe(1)
    expect(named).toEqual(['Mira'])
  })

  test.each([
    [new Problem('ai-budget', { retryMs: 5 * 3_600_000 }), 'used up for today. Try again in 5 h.'],
    [new Problem('ai-busy', { retryMs: 1_200 }), 'at a time. Try again in 2 s.'],
    [new Problem('ai-loop'), 'a person has to go on'],
    [new Problem('rate-limited', { retryMs: 65_000 }), 'Too many requests. Try again in 1 min 5 s.'],
    [
      new Problem('forbidden', { detail: 'Check answers moderators only.' }),
      'Check answers moderators only.',
    ],
  ])('tells of a refusal: %s', async (refusal, words) => {
    await openPanel()
    answer = () => Promise.reject(refusal)
    persona('explain').click()
    await expect.poll(problem).toContain(words)
    expect(panel()).not.toBeNull()
    expect(asked).toEqual([])
  })

  test('sends the same request again under the same id, and another under another', async () => {
    await openPanel()
    answer = () => Promise.reject(new Problem('unavailable'))
    persona('explain').click()
    await expect.poll(problem).not.toBe('')
    await type('.ask-request input', 'more')
    persona('explain').click()
    await expect.poll(() => requests.length).toBe(2)
    await expect.poll(problem).not.toBe('')
    await type('.ask-request input', '')
    answer = () => Promise.resolve(aReply(7))
    persona('explain').click()
    await expect.poll(panel).toBeNull()
    expect(requests.map(({ input }) => input.clientId)).toEqual(['id-1', 'id-2', 'id-1'])
  })

  test('asks once, however often it is pressed meanwhile', async () => {
    await openPanel()
    let arrive = (_: Post) => {}
    answer = () => new Promise((resolve) => (arrive = resolve))
    persona('explain').click()
    await expect.poll(() => persona('explain').textContent).toContain('asking…')
    persona('explain').click()
    persona('offline').click()
    arrive(aReply(7))
    await expect.poll(panel).toBeNull()
    expect(requests).toHaveLength(1)
  })

  test('tells when the list cannot be had, and tries again', async () => {
    const good = list
    list = () => Promise.reject(new Problem('unavailable', { detail: 'The server could not be reached' }))
    asking.toggle(aPost(5), article)
    await expect.poll(problem).toContain('The server could not be reached')
    list = good
    const again = [...article.querySelectorAll('button')].find(
      ({ textContent }) => textContent === 'Try again',
    )
    again!.click()
    await expect.poll(handles).toEqual(['explain', 'offline'])
    expect(problem()).toBe('')
  })

  test('is one on the page', async () => {
    await openPanel()
    const other = document.body.appendChild(document.createElement('article'))
    asking.toggle(aPost(6), other)
    expect(panel()).toBeNull()
    expect(other.querySelector('.ask-panel')).not.toBeNull()
    expect([...open]).toEqual([
      [5, false],
      [6, true],
    ])
  })
})

describe('once more', () => {
  const ended = aReply(9, { parent: 4, state: 'failed', request: 'explain section 2' })

  test('the same persona is asked the same of the same post', async () => {
    await asking.again(ended, article)
    expect(requests).toEqual([
      { to: 4, input: { persona: 'explain', request: 'explain section 2', clientId: 'id-1' } },
    ])
    expect(asked).toHaveLength(1)
  })

  test('two presses make one reply, and a later one makes another', async () => {
    await Promise.all([asking.again(ended, article), asking.again(ended, article)])
    await asking.again(ended, article)
    expect(requests.map(({ input }) => input.clientId)).toEqual(['id-1', 'id-1', 'id-2'])
  })

  test('who has no name gets the panel, with all of it filled in', async () => {
    viewer = null
    await asking.again(ended, article)
    await expect.poll(handles).toEqual(['explain', 'offline'])
    expect(article.querySelector<HTMLInputElement>('.ask-request input')!.value).toBe('explain section 2')
    await type('.composer-name input', 'Mira')
    persona('explain').click()
    await expect.poll(panel).toBeNull()
    expect(requests).toMatchObject([{ to: 4, input: { persona: 'explain', request: 'explain section 2' } }])
  })

  test('a persona that is gone is named as such', async () => {
    const gone = aReply(9, { author: { id: 'gone', name: 'Gone', kind: 'ai' }, state: 'failed' })
    await expect(asking.again(gone, article)).rejects.toThrow('Gone cannot be asked any more')
    expect(requests).toEqual([])
  })
})
