// @vitest-environment jsdom
import { beforeEach, expect, expectTypeOf, test, vi } from 'vitest'
import { defineNuminex, type NuminexThreadElement } from '../../client/embed/module/index.ts'

beforeEach(() => {
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      observe() {}
      unobserve() {}
    },
  )
  vi.stubGlobal('matchMedia', () => new EventTarget())
})

test('what is no address of a server is refused, and nothing is defined', () => {
  expect(() => defineNuminex('talk.example.org')).toThrow(TypeError)
  expect(customElements.get('numinex-thread')).toBeUndefined()
})

test('defines both elements, and a second time changes nothing', () => {
  defineNuminex('https://talk.example.org/')
  const defined = ['numinex-thread', 'numinex-count'].map((name) => customElements.get(name))
  expect(defined).not.toContain(undefined)
  defineNuminex('https://talk.example.org')
  expect(['numinex-thread', 'numinex-count'].map((name) => customElements.get(name))).toEqual(defined)
  const element = document.createElement('numinex-thread')
  document.body.append(element)
  expect(element).toBeInstanceOf(defined[0])
  element.remove()
})

test('the types know the elements and what their events tell', () => {
  expectTypeOf(document.createElement('numinex-thread')).toEqualTypeOf<NuminexThreadElement>()
  expectTypeOf(document.createElement('numinex-count')).toEqualTypeOf<HTMLElement>()
  expectTypeOf<NuminexThreadElement['userToken']>().toEqualTypeOf<string | null>()
  const listen = (element: NuminexThreadElement) => {
    element.addEventListener('ready', ({ detail }) => expectTypeOf(detail).toEqualTypeOf<{ posts: number }>())
    element.addEventListener('post', ({ detail }) =>
      expectTypeOf(detail).toEqualTypeOf<{ thread: string; number: number }>(),
    )
    element.addEventListener('signin', ({ detail }) =>
      expectTypeOf(detail.reason).toEqualTypeOf<'wanted' | 'expired' | 'refused'>(),
    )
    element.addEventListener('click', (event) => expectTypeOf(event).toExtend<Event>())
  }
  expect(() => listen(document.createElement('numinex-thread'))).not.toThrow()
})
