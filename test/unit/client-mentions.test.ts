import { describe, expect, test } from 'vitest'
import { complete, matching, mentionAt } from '../../client/app/mentions.ts'
import { aPersona } from '../helpers/ai-posts.ts'

const personas = [aPersona('explain'), aPersona('compare'), aPersona('catch-up', { name: 'What’s new' })]
const handles = (query: string) => matching(personas, query).map(({ handle }) => handle)

describe('a handle that is being written', () => {
  test.each([
    ['@', { at: 0, query: '' }],
    ['Hello @ex', { at: 6, query: 'ex' }],
    ['(@Catch-u', { at: 1, query: 'catch-u' }],
    ['one\n@c', { at: 4, query: 'c' }],
    ['讲@ex', { at: 1, query: 'ex' }],
  ])('is found in %j', (text, mention) => expect(mentionAt(text, text.length)).toEqual(mention))

  test.each(['', 'explain', 'ada@site', 'see /@ex', '@explain ', '\\@ex', 'x.@ex', '@@ex'])(
    'is none in %j',
    (text) => expect(mentionAt(text, text.length)).toBeUndefined(),
  )

  test('is what stands before the cursor', () => {
    expect(mentionAt('@explain and more', 3)).toEqual({ at: 0, query: 'ex' })
    expect(mentionAt('@explain and more', 12)).toBeUndefined()
  })
})

describe('those that fit', () => {
  test('begin like it, by handle or by name', () => {
    expect(handles('')).toEqual(['explain', 'compare', 'catch-up'])
    expect(handles('c')).toEqual(['compare', 'catch-up'])
    expect(handles('what')).toEqual(['catch-up'])
    expect(handles('zz')).toEqual([])
  })

  test('are none once the only one is written out, so that Enter begins a line again', () => {
    expect(handles('explai')).toEqual(['explain'])
    expect(handles('explain')).toEqual([])
  })
})

test('a handle is written out where it was begun, with one space behind it', () => {
  expect(complete('Hi @ex', { at: 3, query: 'ex' }, 'explain')).toEqual({ text: 'Hi @explain ', cursor: 12 })
  expect(complete('Hi @ex you', { at: 3, query: 'ex' }, 'explain')).toEqual({
    text: 'Hi @explain you',
    cursor: 12,
  })
})
