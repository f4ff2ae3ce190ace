import { JSDOM } from 'jsdom'
import { describe, expect, it } from 'vitest'
import { createRenderer } from '../../server/threads/render.ts'
import { limits } from '../../shared/limits.ts'
import { createMarkdown } from '../../shared/markdown.ts'
import { createReader, violations } from './allow-list.ts'
import { nameVectors, vectors } from './xss-corpus.ts'

const thread = 'k3v9x2q7ab'
const render = createRenderer({ publicUrl: 'https://forum.example' })
const preview = createMarkdown({ publicUrl: 'https://forum.example' })
const read = createReader()

describe('the corpus', () => {
  it('is large, without repetition, and each vector fits its place', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(220)
    expect(nameVectors.length).toBeGreaterThanOrEqual(30)
    for (const list of [vectors, nameVectors]) {
      expect(new Set(list.map(({ body }) => body)).size).toBe(list.length)
      expect(new Set(list.map(({ name }) => name)).size).toBe(list.length)
    }
    expect(vectors.filter(({ body }) => body.length > limits.bodyMax)).toEqual([])
    expect(nameVectors.filter(({ body }) => body.length > limits.nameMax)).toEqual([])
  })

  it('would be noticed: put in as it is, it runs', () => {
    // Those that this browser can run without pictures and frames.
    const bodies = vectors
      .map(({ body }) => body)
      .filter((body) => /^(<\/script>|\0|\ufeff|<div>\n)?\s*<script>win.*<\//i.test(body))
    expect(bodies.length).toBeGreaterThanOrEqual(3)
    for (const body of bodies) {
      const { window } = new JSDOM(`<body>${body}</body>`, { runScripts: 'dangerously' })
      expect.soft('__xss' in window, body).toBe(true)
    }
  })
})

describe('the renderer', () => {
  it.each(vectors.map(({ name, body }) => [name, body] as const))('%s', (_, body) => {
    for (const { html } of [render(body, { thread }), preview.render(body, { thread })]) {
      expect(violations(read(html))).toEqual([])
      // The same once more, as one who copies the tree's HTML does: nothing may wake up on the second reading.
      expect(violations(read(read(html).innerHTML))).toEqual([])
    }
  })

  it.each(nameVectors.map(({ name, body }) => [name, body] as const))('%s', (_, body) => {
    expect(violations(read(render(body, { thread }).html))).toEqual([])
  })

  it('makes no links to elsewhere than http, https and mail', () => {
    for (const { body } of vectors) {
      for (const { url } of render(body, { thread }).refs.flatMap((ref) =>
        ref.kind === 'link' ? [ref] : [],
      )) {
        expect(url).toMatch(/^https?:\/\//)
      }
    }
  })

  it('runs nothing of all of them on one page', () => {
    const page = vectors.map(({ body }) => render(body, { thread }).html).join('')
    const { window } = new JSDOM(`<body>${page}</body>`, { runScripts: 'dangerously' })
    expect('__xss' in window).toBe(false)
    expect(window.document.querySelectorAll('script, img, iframe, [id], [name], [style]')).toHaveLength(0)
  })
})
