import type { Persona } from '../../shared/persona.ts'
import type { Post } from '../../shared/post.ts'
import type { RunReport } from '../../shared/run.ts'
import { ada, aPost } from './posts.ts'

export const explain = { id: 'explain', name: 'Explain', kind: 'ai', picture: '🔎' } as const

export function aPersona(handle: string, changes: Partial<Persona> = {}): Persona {
  return {
    id: handle,
    handle,
    name: `${handle.charAt(0).toUpperCase()}${handle.slice(1)}`,
    description: `What ${handle} does.`,
    model: 'a-model',
    offline: false,
    askers: 'everyone',
    external: false,
    ...changes,
  }
}

/** A reply that Ada asked of a persona; it is still to be written unless `changes` say otherwise. */
export function aReply(number: number, changes: Partial<Post> = {}): Post {
  return aPost(number, {
    author: explain,
    html: '',
    state: 'streaming',
    run: `run-${number}`,
    asker: ada,
    ...changes,
  })
}

export function aReport(changes: Partial<RunReport> = {}): RunReport {
  return {
    run: 'run-2',
    state: 'complete',
    persona: { handle: 'explain', name: 'Explain', version: 3 },
    asker: ada,
    request: null,
    model: 'a-model',
    offline: false,
    external: false,
    manifest: { pieces: [], documents: [], leftOut: 0, budget: 8000, tokens: 0 },
    reasoning: null,
    usage: null,
    cost: null,
    length: 100,
    firstTextMs: null,
    durationMs: null,
    reason: null,
    ...changes,
  }
}
