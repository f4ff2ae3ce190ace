// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createComposing, type Composing } from '../../client/app/composing.tsx'
import { Problem } from '../../shared/errors.ts'
import type { EditPost } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import type { Persona } from '../../shared/persona.ts'
import { aPersona } from '../helpers/ai-posts.ts'
import { lastFrame } from '../helpers/last-frame.ts'
import { aPost } from '../helpers/posts.ts'

/** The post as the server has it. */
let stored: Post & { body: string }
let article: HTMLElement
let composing: Composing
let personas: Persona[]

beforeEach(() => {
  localStorage.clear()
  personas = []
  Element.prototype.scrollIntoView = () => undefined
  globalThis.CSS = { supports: () => true } as unknown as typeof CSS
  stored = { ...aPost(2, { seq: 2 }), body: 'First' }
  article = document.body.appendChild(document.createElement('article'))
  composing = createComposing({
    thread: 'thread1234',
    api: {
      post: () => Promise.resolve(stored),
      preview: () => Promise.resolve({ html: '' }),
      editPost(_thread: string, _number: number, { body, seq }: EditPost) {
        if (seq < stored.seq) return Promise.reject(new Problem('edit-conflict'))
        stored = { ...stored, body, seq: stored.seq + 1 }
        return Promise.resolve(stored)
      },
    },
    session: {
      viewer: { id: 'u', name: 'U', kind: 'person', role: 'member' },
      signIn: '/sign-in',
      beGuest: async () => undefined,
      become: () => undefined,
    },
    personas: { all: () => Promise.resolve(personas) },
    send: () => undefined,
    rootLabel: 'Reply to the thread',
    onEdited: () => undefined,
    typing: () => undefined,
  })
})

afterEach(async () => {
  composing.close()
  await lastFrame()
})

const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

test('a draft of an edit does not undo unseen what someone changed meanwhile', async () => {
  await composing.edit(stored, article)
  const field = article.querySelector('textarea')!
  field.value = 'Mine'
  field.dispatchEvent(new Event('input', { bubbles: true }))
  composing.close()
  stored = { ...stored, body: 'Theirs', html: '<p>Theirs</p>', seq: 9 }

  await composing.edit(stored, article)
  expect(article.querySelector('textarea')!.value).toBe('Mine')
  article.querySelector('form')!.requestSubmit()
  await expect.poll(() => article.textContent).toContain('Theirs')
  expect(stored.body).toBe('Theirs')

  await settle()
  article.querySelector('form')!.requestSubmit()
  await expect.poll(() => stored.body).toBe('Mine')
})

describe('naming an AI participant', () => {
  const field = () => article.querySelector('textarea')!
  const options = () => [...article.querySelectorAll('[role=option]')].map((option) => option.textContent)
  const selected = () => article.querySelector('[aria-selected=true]')?.textContent

  /** Types at the end of the text, and lets the composer take note. */
  async function type(text: string): Promise<void> {
    field().value += text
    field().setSelectionRange(field().value.length, field().value.length)
    field().dispatchEvent(new Event('input', { bubbles: true }))
    await settle()
  }

  async function press(key: string, more: KeyboardEventInit = {}): Promise<KeyboardEvent> {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })
    field().dispatchEvent(event)
    await settle()
    return event
  }

  beforeEach(async () => {
    personas = [
      aPersona('explain'),
      aPersona('compare'),
      aPersona('check'),
      aPersona('agent', { external: true }),
    ]
    composing.reply(aPost(3), article)
    await expect.poll(() => article.textContent).toContain('@explain, @compare or @check in the text')
  })

  test('is offered while a handle is written, and done by keyboard', async () => {
    await type('Please @')
    expect(options()).toHaveLength(3)
    await type('c')
    expect(options()).toEqual(['@compare What compare does.', '@check What check does.'])
    expect(selected()).toContain('@compare')
    await press('ArrowDown')
    expect(selected()).toContain('@check')
    const active = article.querySelector('[aria-selected=true]')!.id
    expect(field().getAttribute('aria-activedescendant')).toBe(active)
    expect((await press('Enter')).defaultPrevented).toBe(true)
    expect(field().value).toBe('Please @check ')
    expect(options()).toEqual([])
    composing.close()
    composing.reply(aPost(3), article)
    expect(field().value).toBe('Please @check ')
  })

  test('is done by Tab and by a click', async () => {
    await type('@ex')
    await press('Tab')
    expect(field().value).toBe('@explain ')
    await type('and @comp')
    article.querySelector<HTMLElement>('[role=option]')!.click()
    await settle()
    expect(field().value).toBe('@explain and @compare ')
  })

  test('leaves keys alone that are not for the list', async () => {
    expect((await press('Enter')).defaultPrevented).toBe(false)
    expect((await press('Tab')).defaultPrevented).toBe(false)
    await type('@explain')
    expect(options()).toEqual([])
    expect((await press('Enter')).defaultPrevented).toBe(false)
  })

  test('is given up by Escape, which closes the list and then the composer', async () => {
    await type('@')
    await press('Escape')
    expect(options()).toEqual([])
    expect(article.querySelector('form')).not.toBeNull()
    await press('Escape')
    expect(article.querySelector('form')).toBeNull()
  })

  test('is not offered in an edit, which asks nobody', async () => {
    composing.close()
    await composing.edit(stored, article)
    await type(' @')
    expect(options()).toEqual([])
    expect(article.textContent).not.toContain('asks an AI')
  })
})
