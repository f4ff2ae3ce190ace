// @vitest-environment jsdom
import { beforeEach, expect, test } from 'vitest'
import { createComposing, type Composing } from '../../client/app/composing.tsx'
import { Problem } from '../../shared/errors.ts'
import type { EditPost } from '../../shared/http.ts'
import type { Post } from '../../shared/post.ts'
import { aPost } from '../helpers/posts.ts'

/** The post as the server has it. */
let stored: Post & { body: string }
let article: HTMLElement
let composing: Composing

beforeEach(() => {
  localStorage.clear()
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
      beGuest: async () => undefined,
    },
    send: () => undefined,
    onEdited: () => undefined,
    typing: () => undefined,
  })
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
