import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { ask } from '../../server/ai/ask.ts'
import { createModel } from '../../server/ai/providers.ts'
import { createRunner, type Runner } from '../../server/ai/runner.ts'
import { readBody, readPost } from '../../server/store/read.ts'
import type { Actor } from '../../server/threads/access.ts'
import type { PostState } from '../../shared/post.ts'
import { addPersona, aiParts } from '../helpers/ai.ts'
import { problems, startScriptedModel, type Script, type ScriptedModel } from '../helpers/scripted-model.ts'
import { addThread, addUser, describeStores, threadParts } from '../helpers/store.ts'

/** What readers see of whatever a model's server may do: a post in the right state, its text kept, and a word that helps. */

const words = ['Naïve ', '🌱 ', 'three ', 'four ', 'five']
const whole = words.join('')
const usage = { input: 12, output: 34 }

interface Case {
  name: string
  script: Script
  state: PostState
  /** What is kept. */
  body: string
  /** What the reason says; nothing where there is none. */
  reason?: RegExp
}

const cases: Case[] = [
  { name: 'all of it', script: {}, state: 'complete', body: whole },
  { name: 'UTF-8 byte by byte', script: { splitBytes: 1 }, state: 'complete', body: whole },
  { name: 'lines that end with CR and LF', script: { lineEnd: '\r\n' }, state: 'complete', body: whole },
  { name: 'comments between', script: { comments: true }, state: 'complete', body: whole },
  { name: 'no [DONE]', script: { done: false }, state: 'complete', body: whole },
  { name: 'no usage', script: { usage: null }, state: 'complete', body: whole },
  { name: 'its thoughts first', script: { reasoning: ['Hm. ', 'Well.'] }, state: 'complete', body: whole },
  {
    name: 'all that it may have',
    script: { finishReason: 'length' },
    state: 'complete',
    body: whole,
    reason: /length/,
  },
  {
    name: 'an end without a finish reason',
    script: { finishReason: null, done: false },
    state: 'interrupted',
    body: whole,
    reason: /broke off/,
  },
  {
    name: 'a part, and then the socket is destroyed',
    script: { fault: 'destroy', faultAfter: 3 },
    state: 'interrupted',
    body: 'Naïve 🌱 three',
    reason: /broke off/,
  },
  {
    name: 'a part, and then a frame that tells of an error',
    script: { fault: 'error', faultAfter: 3 },
    state: 'interrupted',
    body: 'Naïve 🌱 three',
    reason: /failed|error/i,
  },
  {
    name: 'a part, and then a frame that cannot be read',
    script: { fault: 'malformed', faultAfter: 3 },
    state: 'interrupted',
    body: 'Naïve 🌱 three',
    reason: /no part of a reply/,
  },
  {
    name: 'a part, and then silence',
    script: { fault: 'stall', faultAfter: 3 },
    state: 'interrupted',
    body: 'Naïve 🌱 three',
    reason: /silent/,
  },
  {
    name: 'no part at all',
    script: { fault: 'stall', faultAfter: 0 },
    state: 'failed',
    body: '',
    reason: /silent|not begun|did not/,
  },
  {
    name: '429, with a time',
    script: { answer: problems[429]! },
    state: 'failed',
    body: '',
    reason: /busy.*20 s/,
  },
  { name: '500', script: { answer: problems[500]! }, state: 'failed', body: '', reason: /failed|trouble/ },
  {
    name: 'that the key is wrong',
    script: { answer: problems[401]! },
    state: 'failed',
    body: '',
    reason: /key/,
  },
  {
    name: 'that the text is too long',
    script: { answer: problems[400]! },
    state: 'failed',
    body: '',
    reason: /longer than/,
  },
  {
    name: 'that it has no such model',
    script: { answer: problems[404]! },
    state: 'failed',
    body: '',
    reason: /model/,
  },
  { name: 'not a word', script: { text: [] }, state: 'failed', body: '', reason: /nothing/ },
]

let server: ScriptedModel
beforeAll(async () => {
  server = await startScriptedModel()
})
afterAll(() => server.stop())

describeStores('a reply whose model’s server sends', (store) => {
  let runner: Runner
  let ada: Actor
  let thread: string

  beforeEach(async () => {
    ada = await addUser(store.db, 'ada')
    await addPersona(store.db, 'explain')
    thread = await addThread(store.db, 'ada')
  })
  afterEach(() => runner.drain())

  function parts() {
    const settings = {
      name: 'Small',
      provider: 'openai-compatible' as const,
      baseUrl: server.url,
      model: 'small',
      apiKey: 'sk-nobody-may-see',
      contextTokens: 8_000,
      price: undefined,
    }
    const limits = { firstPartMs: 600, silenceMs: 600, retryMs: 10 }
    const ai = aiParts(threadParts(store.db), { model: createModel(settings, limits) })
    runner = createRunner(ai)
    return { ...ai, runner, isDraining: () => false, admit: () => Promise.resolve() }
  }

  test.each(cases)('$name', async ({ script, state, body, reason }) => {
    server.script({ text: words, usage, ...script })
    const { number } = await ask(parts(), ada, { thread, number: 1 }, { persona: 'explain' })
    const post = await vi.waitFor(
      async () => {
        const now = await readPost(store.db, thread, number)
        expect(now?.state).not.toBe('streaming')
        return now!
      },
      { timeout: 10_000 },
    )
    expect(post.state).toBe(state)
    expect(await readBody(store.db, thread, number)).toBe(body)
    if (reason) expect(post.reason).toMatch(reason)
    else expect(post.reason).toBeUndefined()
    expect(JSON.stringify(post)).not.toContain('sk-nobody')
  })
})
