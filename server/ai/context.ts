import type { Manifest, PieceReason } from '../../shared/run.ts'
import type { Articles } from '../links/articles.ts'
import type { Db } from '../store/database.ts'
import type { ModelMessage } from './model.ts'

/** One thing to be read, with its text as the model gets it. */
export type Piece =
  | {
      readonly kind: 'post'
      readonly thread: string
      readonly number: number
      readonly author: string
      readonly why: PieceReason
      readonly text: string
    }
  | {
      readonly kind: 'section'
      readonly document: number
      readonly section: number
      readonly heading: string | null
      readonly why: PieceReason
      readonly text: string
    }

/** What a persona is asked. */
export interface Question {
  readonly thread: string
  /** The post that it is to reply to. */
  readonly number: number
  readonly persona: { readonly handle: string; readonly name: string; readonly instructions: string }
  /** The asker's own line. */
  readonly request: string | null
  readonly asker: { readonly id: string; readonly name: string } | null
  /** The last post that the asker had read before. */
  readonly since: number | null
  /** Tokens that everything together may take. */
  readonly budget: number
}

export interface Context {
  readonly messages: readonly ModelMessage[]
  readonly pieces: readonly Piece[]
  readonly manifest: Manifest
}

/** Puts together what a model is to read. Throws the signal's reason. */
export function buildContext(
  _parts: { db: Db; articles: Articles },
  _question: Question,
  _signal: AbortSignal,
): Promise<Context> {
  throw new Error('not there yet')
}
