import { setTimeout as sleep } from 'node:timers/promises'
import { extract } from './extractive-personas.ts'
import { extractiveLimits } from './limits.ts'
import type { Model, Part } from './model.ts'
import { estimateTokens } from './tokens.ts'

/**
 * What answers where no language model is set up: it picks sentences from what it reads, and says so. It speaks at the pace of
 * a quick typist, so that its readers can follow. `pause` waits, or throws the signal's reason.
 */
export function createExtractive({ pause = pauseOf(extractiveLimits.pauseMs) } = {}): Model {
  return {
    name: 'offline extract',
    offline: true,
    contextTokens: extractiveLimits.contextTokens,
    async *generate(generation): AsyncGenerator<Part> {
      const { signal, maxOutputTokens } = generation
      signal.throwIfAborted()
      const { text, whole } = within(extract(generation), maxOutputTokens)
      for (const words of wordGroups(text)) {
        yield { type: 'text', text: words }
        await pause(signal)
      }
      yield { type: 'end', reason: whole ? 'complete' : 'length' }
    },
  }
}

type Pause = (signal: AbortSignal) => Promise<void>

function pauseOf(ms: number): Pause {
  return async (signal) => {
    await sleep(ms, undefined, { signal }).catch(() => undefined)
    signal.throwIfAborted()
  }
}

/** As many paragraphs as may be written; at least the first, which says what this is. */
function within(paragraphs: readonly string[], tokens: number): { text: string; whole: boolean } {
  let count = 1
  while (count < paragraphs.length && estimateTokens(paragraphs.slice(0, count + 1).join('\n\n')) <= tokens)
    count++
  const kept = paragraphs.slice(0, count)
  // A heading that lost what stands under it.
  if (count < paragraphs.length && /^\*\*.*\*\*$/.test(kept.at(-1)!)) kept.pop()
  return { text: kept.join('\n\n'), whole: count === paragraphs.length }
}

/** A text in groups of a few words, with their spaces. Where a script sets none, a few characters take the place of a word. */
function wordGroups(text: string): string[] {
  const words =
    text.match(/\s*(?:[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+)\s*/g) ?? []
  const groups: string[] = []
  for (let at = 0; at < words.length; at += extractiveLimits.wordsAtATime) {
    groups.push(words.slice(at, at + extractiveLimits.wordsAtATime).join(''))
  }
  return groups
}
