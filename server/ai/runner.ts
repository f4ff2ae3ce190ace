import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../../shared/errors.ts'
import { topics } from '../bus/bus.ts'
import { claimRun, describeRun, releaseRun, type RunRow } from '../store/runs.ts'
import { buildContext } from './context.ts'
import { forgetEnded, writeEnd, type Outcome, type Progress } from './end.ts'
import { runLimits } from './limits.ts'
import { ModelError } from './model.ts'
import type { AiParts } from './parts.ts'
import { findPersonaById } from './personas.ts'
import { createWriter, type Writer } from './writer.ts'

/** The runs that this node writes. */
export interface Runner {
  /** Writes a run that this node holds since `leaseSince` (`performance.now()`). Resolves when that is over, and never rejects. */
  start(run: RunRow, leaseSince: number): Promise<void>
  /** Takes up the runs that nobody works on any more. */
  sweep(): Promise<void>
  /** Lets runs come to their end, and hands over or interrupts those that do not in time. */
  drain(): Promise<void>
}

/** Why a run is broken off from here. */
type Break = 'stop' | 'lost' | 'drain'

export function createRunner(parts: AiParts): Runner {
  const { db, bus, log, metrics } = parts
  const running = new Map<string, { breaking: AbortController; done: Promise<void> }>()
  let sweeping: Promise<void> | undefined
  let draining = false

  const subscribed = bus.subscribe(topics.stops, (run) =>
    running.get(run)?.breaking.abort('stop' satisfies Break),
  )
  subscribed.catch((error: unknown) => log.warn({ err: error }, 'the word to stop a reply is not heard of'))

  function start(run: RunRow, leaseSince: number): Promise<void> {
    const breaking = new AbortController()
    const done = drive(run, leaseSince, breaking)
      .catch((error: unknown) => log.error({ err: error, run: run.id }, 'a reply failed'))
      .finally(() => {
        running.delete(run.id)
        metrics.writing.set(running.size)
      })
    running.set(run.id, { breaking, done })
    metrics.writing.set(running.size)
    return done
  }

  async function drive(run: RunRow, leaseSince: number, breaking: AbortController): Promise<void> {
    const { signal } = breaking
    const at = { thread: run.thread_id, number: run.number }
    const brokenBy = () => (signal.aborted ? (signal.reason as Break) : undefined)
    const writer = createWriter(parts, { ...at, id: run.id, epoch: run.epoch }, leaseSince, {
      onLost: () => breaking.abort('lost' satisfies Break),
      onStop: () => breaking.abort('stop' satisfies Break),
    })
    const progress: Progress = {}
    try {
      const outcome = await generate(parts, run, writer, progress, signal).catch((error: unknown) =>
        outcomeOf(error, brokenBy(), writer, () => {
          // What the model's server said is for admins; its message for readers is in the post.
          if (error instanceof ModelError) {
            log.warn({ run: run.id, fault: error.fault, detail: error.detail }, error.message)
          } else if (error instanceof Problem) {
            log.info({ run: run.id, code: error.code }, 'what a reply was to answer is gone')
          } else log.error({ err: error, run: run.id }, 'a reply failed')
        }),
      )
      if (brokenBy() === 'lost') return await forgetEnded(parts, run)
      // Another node begins it anew: nobody has seen anything of it.
      if (brokenBy() === 'drain' && writer.text === '') return await releaseRun(db, run)
      await writer.settle()
      await end(run, writer, progress, outcome)
    } finally {
      writer.close()
    }
  }

  /** Writes the end, for as long as that may take while the database is away. After that, another node finds the run. */
  async function end(run: RunRow, writer: Writer, progress: Progress, outcome: Outcome): Promise<void> {
    const until = performance.now() + runLimits.endMs
    for (;;) {
      try {
        return await writeEnd(
          parts,
          run,
          { text: writer.text, reasoning: writer.reasoning, ...progress },
          outcome,
        )
      } catch (error) {
        log.warn({ err: error, run: run.id }, 'the end of a reply could not be written')
        if (performance.now() > until) return
        await sleep(runLimits.endRetryMs)
      }
    }
  }

  async function takeUp(): Promise<void> {
    for (let i = 0; i < runLimits.claims && !draining; i++) {
      const since = performance.now()
      const run = await claimRun(db, parts.node, runLimits.leaseMs)
      if (run === undefined) return
      metrics.takenUp.inc()
      const live = await parts.liveText.read(run.id)
      const text = live.length > run.text.length ? live : run.text
      log.info({ run: run.id, epoch: run.epoch, shown: text.length }, 'took up an abandoned reply')
      const ending = abandoned(run, text)
      if (ending === undefined) void start(run, since)
      else await writeEnd(parts, run, { text, reasoning: run.reasoning ?? '' }, ending)
    }
  }

  return {
    start,
    sweep() {
      sweeping ??= takeUp()
        .catch((error: unknown) => log.warn({ err: error }, 'abandoned replies could not be looked for'))
        .finally(() => (sweeping = undefined))
      return sweeping
    },
    async drain() {
      draining = true
      await sweeping
      const all = () => Promise.all([...running.values()].map(({ done }) => done))
      const late = new AbortController()
      await Promise.race([
        all(),
        sleep(runLimits.drainMs, undefined, { signal: late.signal }).catch(() => {}),
      ])
      late.abort()
      for (const { breaking } of running.values()) breaking.abort('drain' satisfies Break)
      await all()
    },
  }
}

/** Reads, asks the model, and writes what it says. */
async function generate(
  parts: AiParts,
  run: RunRow,
  writer: Writer,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome> {
  const { db, models } = parts
  const started = performance.now()
  const persona = await findPersonaById(db, run.persona_id)
  if (persona === undefined) return { state: 'failed', reason: 'This AI participant is no longer there.' }
  const model = (progress.model = await models.find(persona.modelId))
  await describeRun(db, run, { model: model.name, offline: model.offline })
  const asker =
    run.asker_id === null
      ? null
      : ((await db
          .selectFrom('users')
          .select(['id', 'name'])
          .where('id', '=', run.asker_id)
          .executeTakeFirst()) ?? null)
  const room = model.contextTokens - persona.maxOutputTokens
  // One that ships and was renamed does the same work.
  const role = { ...persona, handle: persona.shipped ?? persona.handle }
  const question = {
    thread: run.thread_id,
    number: await askedAbout(parts, run),
    persona: role,
    request: run.request,
    asker,
    since: run.since,
    budget: Math.max(0, Math.min(persona.contextTokens, room)),
  }
  const context = (progress.context = await buildContext(parts, question, signal))
  await describeRun(db, run, { manifest: context.manifest, model: model.name, offline: model.offline })
  signal.throwIfAborted()
  const generation = {
    messages: context.messages,
    pieces: context.pieces,
    persona: role,
    request: run.request,
    maxOutputTokens: persona.maxOutputTokens,
    signal,
  }
  for await (const part of model.generate(generation)) {
    if (part.type === 'text') {
      if (writer.text === '') parts.metrics.firstText.observe(secondsSince(started))
      writer.write(part.text)
    } else if (part.type === 'reasoning') writer.think(part.text)
    else {
      if (part.usage) progress.usage = part.usage
      return outcomeOfEnd(part.reason, writer)
    }
    // What follows would find no room.
    if (writer.full) return { state: 'complete', reason: 'It has reached the length that a post may have.' }
  }
  throw new ModelError('broken', 'The reply broke off: the model ended without saying so.')
}

function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000
}

/** The post that a run replies to. */
async function askedAbout({ db }: AiParts, run: RunRow): Promise<number> {
  const { parent } = await db
    .selectFrom('posts')
    .select('parent')
    .where('thread_id', '=', run.thread_id)
    .where('number', '=', run.number)
    .executeTakeFirstOrThrow()
  return parent!
}

function outcomeOfEnd(reason: 'complete' | 'length' | 'filtered', { text }: Writer): Outcome {
  if (reason === 'filtered') {
    const what = 'The model’s server held the reply back by its own rules.'
    return { state: text === '' ? 'failed' : 'interrupted', reason: what }
  }
  if (text.trim() === '') return { state: 'failed', reason: 'The model wrote nothing.' }
  if (reason === 'length') return { state: 'complete', reason: 'It has reached the length that it may have.' }
  return { state: 'complete' }
}

/** What was written is kept, whatever came after it. */
function outcomeOf(error: unknown, broken: Break | undefined, { text }: Writer, report: () => void): Outcome {
  if (broken === 'stop') return { state: 'stopped' }
  if (broken !== undefined) return { state: 'interrupted', reason: 'The server was restarted.' }
  const state = text === '' ? 'failed' : 'interrupted'
  report()
  if (error instanceof ModelError) return { state, reason: error.message }
  // It was there when it was asked about.
  if (error instanceof Problem) return { state, reason: 'The post that it was to answer has been deleted.' }
  return { state, reason: 'Something went wrong on this server.' }
}

/** How a run ends that its writer has left; undefined where it can begin anew, since nobody has seen anything of it. */
function abandoned(run: RunRow, text: string): Outcome | undefined {
  if (run.stop_requested) return { state: 'stopped' }
  if (run.external) return { state: 'interrupted', reason: 'The agent that wrote it fell silent.' }
  if (text === '' && run.epoch <= runLimits.epochs) return undefined
  const reason = 'The server that wrote it is gone.'
  return { state: text === '' ? 'failed' : 'interrupted', reason }
}
