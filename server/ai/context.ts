import { Problem } from '../../shared/errors.ts'
import type { Manifest, PieceReason } from '../../shared/run.ts'
import type { Articles } from '../links/articles.ts'
import type { Db } from '../store/database.ts'
import { noteOf, readDocuments } from './context-articles.ts'
import { gather, type Gathered } from './context-gather.ts'
import { layOut } from './context-layout.ts'
import type { ModelMessage } from './model.ts'

/** One thing to be read, with its text as the model gets it. */
export type Piece =
  | {
      readonly kind: 'post'
      readonly thread: string
      readonly number: number
      readonly parent: number | null
      readonly author: string
      readonly byAi: boolean
      readonly why: PieceReason
      readonly text: string
    }
  | {
      readonly kind: 'section'
      readonly document: number
      /** The document's title. */
      readonly title: string
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
  /** Tokens that everything together may take, instructions included. */
  readonly budget: number
}

export interface Context {
  readonly messages: readonly ModelMessage[]
  readonly pieces: readonly Piece[]
  readonly manifest: Manifest
}

/**
 * Puts together what a model is to read, within the budget. A linked page that cannot be read is noted as such.
 * Throws the signal's reason, a ModelError `too-long` where the instructions leave no room, and the problems
 * thread-not-found, post-not-found and post-deleted.
 */
export async function buildContext(
  { db, articles }: { db: Db; articles: Articles },
  question: Question,
  signal: AbortSignal,
): Promise<Context> {
  signal.throwIfAborted()
  let gathered = await gatherOrThrow(db, question)
  signal.throwIfAborted()
  const documents = await readDocuments(articles, gathered.urls, signal)
  // Reading pages may take seconds, in which posts may be taken back.
  if (documents.length > 0) gathered = await gatherOrThrow(db, question)
  signal.throwIfAborted()
  const { messages, pieces, noted, leftOut, tokens } = layOut(question, gathered, documents)
  const manifest = {
    pieces: [...noted],
    documents: documents.map(noteOf),
    leftOut,
    budget: question.budget,
    tokens,
  }
  return { messages, pieces, manifest }
}

async function gatherOrThrow(db: Db, question: Question): Promise<Gathered> {
  const gathered = await gather(db, question)
  if (typeof gathered === 'string') throw new Problem(gathered)
  return gathered
}
