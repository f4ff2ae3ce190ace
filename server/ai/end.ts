import type { Manifest } from '../../shared/run.ts'
import type { Spent } from '../store/budgets.ts'
import { endRun, findRun, withoutDeleted, type RunRow } from '../store/runs.ts'
import { prepareContent } from '../threads/content.ts'
import { refreshEmbedders, refreshSettled } from '../threads/posts.ts'
import { publishChanges } from '../threads/publish.ts'
import { citationsOf } from './citations.ts'
import type { Context, Piece } from './context.ts'
import { nameOf } from './context-posts.ts'
import type { Model } from './model.ts'
import type { AiParts } from './parts.ts'
import { estimateTokens } from './tokens.ts'

/** How a run ends. */
export interface Outcome {
  readonly state: 'complete' | 'stopped' | 'interrupted' | 'failed'
  readonly reason?: string
}

/** What is known of a run while it is written. */
export interface Progress {
  context?: Context
  model?: Model
  usage?: { input: number; output: number }
}

/** Writes a run's end with its final text, and tells everyone. Nothing happens when the run is another's by now. */
export async function writeEnd(
  parts: AiParts,
  run: RunRow,
  written: Progress & { text: string; reasoning: string },
  { state, reason }: Outcome,
): Promise<void> {
  const { db, bus, liveText, metrics } = parts
  const at = { thread: run.thread_id, number: run.number }
  const { context } = written
  const body = written.text.trimEnd()
  const manifest = context?.manifest ?? run.manifest
  // What was deleted while the reply was written is neither cited nor quoted from.
  const left = manifest && !run.external ? await withoutDeleted(db, manifest) : undefined
  const citations = left && citationsOf(left, at.thread, context && piecesOf(left, context.pieces))
  const content = await prepareContent(parts, at.thread, body, citations)
  const spent = spentOf(run, written)
  const changes = await endRun(db, at, run, {
    state,
    reason: reason ?? null,
    reasoning: written.reasoning || null,
    spent,
    content,
  })
  if (changes.length === 0) return await forgetEnded(parts, run)
  // First of all: what fails from here on cannot be tried again, since the run has ended.
  publishChanges(bus, at.thread, changes)
  void refreshEmbedders(parts, at)
  for (const change of changes) if ('post' in change) void refreshSettled(parts, at.thread, change.post)
  await liveText.forget(run.id)
  metrics.ended.inc({ state })
  metrics.tokens.inc({ kind: 'input' }, spent.input)
  metrics.tokens.inc({ kind: 'output' }, spent.output)
}

/** A run that is no longer its writer's was taken over by another node, or ended with its post: then nothing of its text stays. */
export async function forgetEnded({ db, liveText }: AiParts, run: RunRow): Promise<void> {
  const now = await findRun(db, run.thread_id, run.number)
  if (now?.state !== 'streaming') await liveText.forget(run.id)
}

/** Those pieces that a manifest names. */
function piecesOf(manifest: Manifest, pieces: readonly Piece[]): Piece[] {
  const named = new Set(manifest.pieces.map((piece) => piece.kind === 'post' && nameOf(piece)))
  return pieces.filter((piece) => piece.kind !== 'post' || named.has(nameOf(piece)))
}

/** What the model's server told, or else an estimate by the length of the texts. */
function spentOf(
  run: RunRow,
  { usage, context, model, text, reasoning }: Progress & { text: string; reasoning: string },
): Spent {
  // Whoever ends another node's run knows what it was given by its manifest alone.
  const read =
    context?.messages.reduce((sum, { content }) => sum + estimateTokens(content), 0) ??
    run.manifest?.tokens ??
    0
  const { input, output } = usage ?? { input: read, output: estimateTokens(text) + estimateTokens(reasoning) }
  const price = model?.price
  const amount = price && (input * price.input + output * price.output) / 1_000_000
  return {
    input,
    output,
    estimated: usage === undefined,
    cost: price && amount !== undefined ? { amount, currency: price.currency } : null,
  }
}
