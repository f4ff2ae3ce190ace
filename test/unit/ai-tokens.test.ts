import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTokens, tokensPerByte, unitsWithin } from '../../server/ai/tokens.ts'

const anyText = fc.string({ unit: 'grapheme', maxLength: 200 })

describe('the estimate of tokens', () => {
  // What a tokenizer of 2023 with 100,000 entries makes of them.
  it.each([
    ['Their explanation holds for every text that was written before.', 11],
    [
      'Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller staatlichen Gewalt.',
      32,
    ],
    ['Все люди рождаются свободными и равными в своем достоинстве и правах.', 35],
    ['すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。', 44],
    ['👍🔥🤔💡', 11],
  ])('of %j is no lower than a real count', (text, tokens) => {
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(tokens)
    expect(estimateTokens(text)).toBeLessThan(tokens * 2.5)
  })

  it('of parts adds up to at least that of the whole', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(estimateTokens(a) + estimateTokens(b)).toBeGreaterThanOrEqual(estimateTokens(a + b))
      }),
    )
  })

  it('tells how much of a text fits, and ends within no character', () => {
    fc.assert(
      fc.property(anyText, fc.nat(60), (text, tokens) => {
        const head = text.slice(0, unitsWithin(text, tokens))
        expect(estimateTokens(head)).toBeLessThanOrEqual(tokens)
        expect(head.isWellFormed()).toBe(text.isWellFormed())
        if (head.length < text.length) {
          const next = head + String.fromCodePoint(text.codePointAt(head.length)!)
          expect(estimateTokens(next)).toBeGreaterThan(tokens)
        }
      }),
    )
  })

  it('is never below what a text costs at least by its size', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(estimateTokens(text)).toBeGreaterThanOrEqual(Buffer.byteLength(text) * tokensPerByte)
      }),
    )
  })
})
