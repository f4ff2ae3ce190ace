import { describe, expect, it } from 'vitest'
import type { Piece } from '../../server/ai/context.ts'
import { createExtractive } from '../../server/ai/extractive.ts'
import type { Generation, Part } from '../../server/ai/model.ts'

const post = (number: number, author: string, text: string, more = {}): Piece => ({
  kind: 'post',
  thread: 'k3v9x2q7ab',
  number,
  parent: number === 1 ? null : 1,
  author,
  byAi: false,
  why: number === 1 ? 'asked' : 'sibling',
  text,
  ...more,
})
const essay = Array.from(
  { length: 12 },
  (_, n) => `Point ${n} of the essay is about the harbour of town number ${n}.`,
).join(' ')

function generation(more: Partial<Generation> = {}): Generation {
  return {
    messages: [],
    pieces: [
      post(1, 'Ada', essay),
      post(2, 'Ben', 'However, no harbour of any town has ever been so small.'),
    ],
    persona: { handle: 'explain', name: 'Explain' },
    request: null,
    maxOutputTokens: 1_000,
    signal: new AbortController().signal,
    ...more,
  }
}

async function all(
  given: Generation,
  model = createExtractive({ pause: async () => undefined }),
): Promise<Part[]> {
  const parts: Part[] = []
  for await (const part of model.generate(given)) parts.push(part)
  return parts
}
const textOf = (parts: readonly Part[]) =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('')

describe('the offline model', () => {
  it('says what it is, to programs and to readers', async () => {
    const model = createExtractive()
    expect(model).toMatchObject({ offline: true, name: 'offline extract' })
    expect(textOf(await all(generation()))).toMatch(
      /^\*I am no language model\. .*word for word\.\*\n\n\*\*From \[#1\]\*\*\n\n- “/,
    )
  })

  it('grows by a few words at a time, and pauses between them', async () => {
    const log: string[] = []
    const model = createExtractive({
      async pause() {
        log.push('pause')
      },
    })
    for await (const part of model.generate(generation())) log.push(part.type)
    expect(log.slice(0, 4)).toEqual(['text', 'pause', 'text', 'pause'])
    expect(log.at(-1)).toBe('end')
    const parts = await all(generation())
    const words = textOf(parts).split(/\s+/).length
    // A pause is 70 ms: 30 to 60 words a second.
    const perSecond = words / ((parts.length - 1) * 0.07)
    expect(perSecond).toBeGreaterThan(30)
    expect(perSecond).toBeLessThan(60)
  })

  it('is the same text each time', async () => {
    expect(textOf(await all(generation()))).toBe(textOf(await all(generation())))
  })

  it('stops at once', async () => {
    const stop = new AbortController()
    const parts: Part[] = []
    const reading = async () => {
      for await (const part of createExtractive().generate(generation({ signal: stop.signal }))) {
        parts.push(part)
        if (parts.length === 3) stop.abort(new Error('stopped'))
      }
    }
    await expect(reading()).rejects.toThrow('stopped')
    expect(parts).toHaveLength(3)
    await expect(all(generation({ signal: stop.signal }))).rejects.toThrow('stopped')
  })

  it('writes no more than it may, and says where it had more to say', async () => {
    const whole = await all(generation())
    expect(whole.at(-1)).toEqual({ type: 'end', reason: 'complete' })
    const short = await all(generation({ maxOutputTokens: 120 }))
    expect(short.at(-1)).toEqual({ type: 'end', reason: 'length' })
    expect(textOf(whole).startsWith(textOf(short))).toBe(true)
    expect(textOf(short)).not.toMatch(/\*\*$/)
  })

  it('answers to the request', async () => {
    const pieces = [
      post(1, 'Ada', 'What do you all think of this, dear friends?'),
      post(2, 'Ben', 'The lighthouse was built by the fishermen of the northern villages themselves.'),
      ...Array.from({ length: 9 }, (_, n) =>
        post(n + 3, 'Cy', `Harbours of towns matter, say towns of harbours, and so does number ${n}.`),
      ),
    ]
    expect(textOf(await all(generation({ pieces, request: 'Who built the lighthouse?' })))).toContain('[#2]')
  })

  it('weighs much material quickly', async () => {
    const pieces = Array.from({ length: 300 }, (_, n) =>
      post(
        n + 1,
        `Author ${n % 9}`,
        `${essay.replaceAll('harbour', `harbour${n % 40}`)} But no town of the number ${n} has ever had one.`,
      ),
    )
    for (const handle of ['explain', 'compare', 'check', 'challenge', 'catch-up']) {
      const start = performance.now()
      const parts = await all(generation({ pieces, persona: { handle, name: '' } }))
      expect(performance.now() - start).toBeLessThan(2_000)
      expect(textOf(parts)).toContain('[#')
    }
  })

  it('has an answer without anything to read', async () => {
    expect(textOf(await all(generation({ pieces: [] })))).toContain('I found no sentence')
  })
})
