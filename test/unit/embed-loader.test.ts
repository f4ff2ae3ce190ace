// @vitest-environment jsdom
import { beforeEach, describe, expect, test } from 'vitest'
import { isDark, keyOf } from '../../client/embed/loader/page.ts'

describe('what an element’s comments are known by', () => {
  beforeEach(() => {
    document.head.replaceChildren()
    history.replaceState(null, '', '/essays/walking?from=feed#numinex-3')
  })

  function element(attributes: Record<string, string> = {}): Element {
    const made = document.createElement('numinex-thread')
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
    return made
  }
  function canonical(href: string): void {
    document.head.append(Object.assign(document.createElement('link'), { rel: 'canonical', href }))
  }
  const here = location.origin

  test('is the page, without its fragment', () => {
    expect(keyOf(element())).toBe(`${here}/essays/walking?from=feed`)
  })

  test('is what the page says it is, if it is a page of its own site', () => {
    canonical('/essays/walking')
    expect(keyOf(element())).toBe(`${here}/essays/walking`)
    document.head.replaceChildren()
    canonical('https://elsewhere.example/walking')
    expect(keyOf(element())).toBe(`${here}/essays/walking?from=feed`)
  })

  test('is what the element says, first of all', () => {
    canonical('/essays/walking')
    expect(keyOf(element({ url: '/maps?a=1' }))).toBe(`${here}/maps?a=1`)
    expect(keyOf(element({ url: 'https://elsewhere.example/b' }))).toBe('https://elsewhere.example/b')
    expect(keyOf(element({ url: '/maps', thread: 'k3v9x2q7ab' }))).toBe('k3v9x2q7ab')
  })

  test('an address that is none is left to the server, which says so', () => {
    expect(keyOf(element({ url: 'http://' }))).toBe('http://')
  })
})

describe('text of this colour means that the page is', () => {
  test.each([
    'rgb(255, 255, 255)',
    'rgba(255, 255, 255, 0.87)',
    'rgb(0, 255, 170)',
    'rgb(228, 226, 220)',
    'lab(95 0 0)',
    'lch(90 5 120)',
    'oklab(0.95 0 0)',
    'oklch(0.8 0.1 90 / 0.9)',
    'color(srgb 0.9 0.9 0.9)',
    'color(display-p3 1 1 1)',
  ])('dark: %s', (color) => expect(isDark(color)).toBe(true))

  test.each([
    'rgb(0, 0, 0)',
    'rgb(1, 1, 1)',
    'rgba(0, 0, 0, 0.87)',
    'rgb(35, 33, 29)',
    'rgb(90, 110, 140)',
    'lab(20 0 0)',
    'lch(20 5 120)',
    'oklab(0.2 0 0)',
    'oklch(0.3 0.1 90)',
    'color(srgb 0.1 0.1 0.1)',
    'color(display-p3 0 0 0)',
  ])('light: %s', (color) => expect(isDark(color)).toBe(false))
})
