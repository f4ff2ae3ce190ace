import * as z from 'zod/mini'
import { author, postNumber, postState } from './post.ts'

/** Why a post was given to a model to read, most important first. */
export const pieceReason = z.enum(['asked', 'ancestor', 'quoted', 'embedded', 'new', 'sibling', 'article'])
export type PieceReason = z.infer<typeof pieceReason>

/** One thing that a model was given to read. `tokens` are estimated; `cut` says that its end is missing. */
export const manifestPiece = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('post'),
    thread: z.string(),
    number: postNumber,
    author: z.string(),
    why: pieceReason,
    tokens: z.int(),
    cut: z.boolean(),
  }),
  z.object({
    kind: z.literal('section'),
    /** Which of the manifest's `documents`, from 1. */
    document: z.int(),
    section: z.int(),
    heading: z.nullable(z.string()),
    why: pieceReason,
    tokens: z.int(),
    cut: z.boolean(),
  }),
])
export type ManifestPiece = z.infer<typeof manifestPiece>

/** A linked page that was to be read. `sections` is how many it has. */
export const manifestDocument = z.object({
  document: z.int(),
  url: z.string(),
  title: z.string(),
  /** SHA-256 of the text that was read, in hex; null where it could not be had. */
  hash: z.nullable(z.string()),
  sections: z.int(),
  /** Why it could not be read, for people. */
  problem: z.optional(z.string()),
})
export type ManifestDocument = z.infer<typeof manifestDocument>

/** What a model was given to read, in the order in which it was given. */
export const manifest = z.object({
  pieces: z.array(manifestPiece),
  documents: z.array(manifestDocument),
  /** Posts and sections that found no room. */
  leftOut: z.int(),
  /** How many tokens there was room for, and how many were used; both estimated. */
  budget: z.int(),
  tokens: z.int(),
})
export type Manifest = z.infer<typeof manifest>

/** Tokens that a run took. `estimated`: the model's server did not tell, or the run ended before it could. */
export const usage = z.object({ input: z.int(), output: z.int(), estimated: z.boolean() })
export type Usage = z.infer<typeof usage>

/** How an AI reply came about: what readers find under "What the AI read". */
export const runReport = z.object({
  run: z.string(),
  state: postState,
  persona: z.object({ handle: z.string(), name: z.string(), version: z.int() }),
  asker: z.nullable(author),
  request: z.nullable(z.string()),
  model: z.string(),
  offline: z.boolean(),
  external: z.boolean(),
  /** Null until the context stands, and for agents outside. */
  manifest: z.nullable(manifest),
  /** What the model thought aloud, where it sends that. */
  reasoning: z.nullable(z.string()),
  usage: z.nullable(usage),
  /** In units of `currency`, where prices are configured. */
  cost: z.nullable(z.object({ amount: z.number(), currency: z.string() })),
  /** UTF-16 units written so far: where an agent outside goes on. */
  length: z.int(),
  /** Milliseconds to the first text, and in all; null while it has not come that far. */
  firstTextMs: z.nullable(z.int()),
  durationMs: z.nullable(z.int()),
  /** Why it ended early, for people. */
  reason: z.nullable(z.string()),
})
export type RunReport = z.infer<typeof runReport>
