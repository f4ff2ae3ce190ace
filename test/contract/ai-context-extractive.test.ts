import fs from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { citationsOf } from '../../server/ai/citations.ts'
import type { Context, Question } from '../../server/ai/context.ts'
import { createExtractive } from '../../server/ai/extractive.ts'
import { shippedPersonas } from '../../server/ai/shipped.ts'
import type { Articles } from '../../server/links/articles.ts'
import { ensureLinks } from '../../server/links/link-rows.ts'
import { importThread, type ImportParts } from '../../server/threads/import.ts'
import { createRenderer } from '../../server/threads/render.ts'
import { createReader } from '../security/allow-list.ts'
import { ask, memoryArticles, write } from '../helpers/ai-context.ts'
import { addThread, addUser, describeStores, publicUrl, type TestStore } from '../helpers/store.ts'

const render = createRenderer({ publicUrl })
const read = createReader()
const model = createExtractive({ pause: async () => undefined })

async function* demoLines(): AsyncGenerator<string> {
  yield* (await fs.readFile('server/threads/demo.jsonl', 'utf8')).trimEnd().split('\n')
}

async function reply(context: Context, question: Pick<Question, 'persona' | 'request'>): Promise<string> {
  let text = ''
  let ended: string | undefined
  const signal = new AbortController().signal
  for await (const part of model.generate({ ...question, ...context, maxOutputTokens: 2_000, signal })) {
    if (part.type === 'text') text += part.text
    else if (part.type === 'end') ended = part.reason
  }
  expect(ended).toBe('complete')
  return text
}

/** Asks a persona, and checks that all it cites and quotes is where it says. */
async function verified(
  store: Pick<TestStore, 'db'> & { articles?: Articles },
  handle: string,
  question: Partial<Question> & Pick<Question, 'thread' | 'number'>,
) {
  const persona = shippedPersonas.find((each) => each.handle === handle)!
  const asking = { request: null, ...question, persona, budget: 16_000 }
  const context = await ask(store, asking)
  const text = await reply(context, asking)
  const citations = citationsOf(context.manifest, question.thread, context.pieces)
  const page = read(render(text, { thread: question.thread, citations }).html)
  expect(page.querySelectorAll('.unverified').length, text).toBe(0)
  expect(text).toMatch(/^\*I am no language model\./)
  const quotations = [...page.querySelectorAll('.quotation.verified')]
  // Each stands beside its source.
  for (const quotation of quotations) expect(quotation.tagName, text).toBe('SPAN')
  const cited = [...page.querySelectorAll('a.citation')].map((each) => each.textContent)
  expect(cited.length).toBeGreaterThanOrEqual(quotations.length)
  if (process.env['SHOW']) console.log(`\n=== ${handle} on ${question.number}\n${text}`)
  return { text, quotations: quotations.map((each) => each.textContent), cited }
}

describeStores('the model that only picks sentences', (store) => {
  describe('in the demo', () => {
    const thread = 'readAuthor'
    beforeEach(async () => {
      const ids: ImportParts['ensureLinks'] = async (tx, urls) =>
        (await ensureLinks(tx, urls)).map(({ id }) => id)
      await importThread({ db: store.db, render, ensureLinks: ids }, demoLines())
    })

    it.each(
      shippedPersonas.flatMap(({ handle }) =>
        [1, 4, 8, 11, 19, 22].map((number) => [handle, number] as const),
      ),
    )('%s cites only what it read, asked about post %i', async (handle, number) => {
      const { quotations } = await verified(store, handle, { thread, number })
      expect(quotations.length).toBeGreaterThanOrEqual(handle === 'catch-up' ? 1 : 2)
    })

    it('explains the essay by its own sentences', async () => {
      const { text, cited } = await verified(store, 'explain', { thread, number: 1 })
      expect(text).toContain('**From [#1]**')
      expect(cited.filter((each) => each === '[#1]').length).toBeGreaterThanOrEqual(3)
    })

    it('finds what a paraphrase speaks of', async () => {
      const { text } = await verified(store, 'check', { thread, number: 4 })
      expect(text).toContain('“To read well you must be able to speak as the author')
      expect(text).toContain('[#1]')
    })

    it('tells of each branch what was new', async () => {
      const { text } = await verified(store, 'catch-up', { thread, number: 1, since: 9 })
      expect(text).toMatch(/New to you: 13 posts, by Priya Venkat \(2\)|New to you: 13 posts, by /)
      expect(text).toContain('**In the branch of [#10], by wen, passing by**')
      expect(text).not.toContain('[#8]')
    })
  })

  describe('elsewhere', () => {
    let thread: string
    beforeEach(async () => {
      for (const id of ['ada', 'ben'])
        await addUser(store.db, id, { name: id === 'ada' ? 'Ada *the* [first](x)' : 'Ben' })
      thread = await addThread(store.db, 'ada', 'Hm?', 'T')
    })
    const setUrl = (url: string) =>
      store.db.updateTable('threads').set({ url }).where('id', '=', thread).execute()

    it('sets two pages side by side', async () => {
      await setUrl('https://a.example/')
      const { number } = await write(store.db, thread, 'ben', 'Which of the two is right about tides?', {
        links: ['https://b.example/'],
      })
      const articles = memoryArticles({
        'https://a.example/': {
          title: 'On *tides* "and" moons',
          sections: [
            {
              heading: null,
              text: 'The moon draws the sea towards itself, and so the tides rise. Ships wait for the tides to rise.',
            },
            {
              heading: 'Doubts',
              text: 'Galileo thought that tides prove the motion of the earth. He wrote "the sea is a vessel that is shaken" about it.',
            },
          ],
        },
        'https://b.example/': {
          title: 'Against the moon',
          sections: [
            {
              heading: null,
              text: 'The moon does not draw the sea at all, says this author of tides. See [the tables](https://x.example/a_(b)) of the harbour for the proof.',
            },
          ],
        },
      })
      const { text, cited } = await verified({ db: store.db, articles }, 'compare', { thread, number })
      expect(text).toContain('Side by side: **doc 1, On \\*tides\\* ')
      expect(cited).toEqual(expect.arrayContaining(['[doc 1 §1]', '[doc 2 §1]']))
      const explained = await verified({ db: store.db, articles }, 'explain', { thread, number })
      expect(explained.cited).toContain('[doc 1 §2]')
    })

    it('reads Chinese and Japanese', async () => {
      await write(
        store.db,
        thread,
        'ada',
        '潮汐是由月球的引力引起的，这是牛顿首先解释清楚的道理。但是伽利略不同意这个说法，他认为潮汐证明了地球的运动。',
      )
      const { number } = await write(
        store.db,
        thread,
        'ben',
        '潮の満ち引きは月の引力によって起こるという説明は、ニュートンが初めて示したものである。しかしガリレオはこの説明に反対していた。潮汐和月球的引力有什么关系呢，请大家解释一下吧？',
      )
      for (const handle of ['explain', 'challenge', 'compare', 'catch-up']) {
        const { quotations } = await verified(store, handle, { thread, number })
        expect(quotations.join('')).toContain('潮汐')
      }
    })

    it('says so where there is nothing to pick from', async () => {
      await setUrl('https://empty.example/')
      const articles = memoryArticles({ 'https://empty.example/': { title: 'Empty', sections: [] } })
      for (const { handle } of shippedPersonas) {
        const { quotations, text } = await verified({ db: store.db, articles }, handle, { thread, number: 1 })
        expect(quotations).toEqual([])
        expect(text).toMatch(/no sentence that would stand on its own|nothing else/)
      }
    })

    it('lets nothing of a post become markup, a mention or a link of its own', async () => {
      await write(
        store.db,
        thread,
        'ada',
        'Everyone should ask @explain and @check about this thing &amp; that one, for it is *so* important_to_me ~~not~~ now! ' +
          'But \\*nobody\\* here [said](https://x.example/y) “loudly enough” and ”then „again to "everyone" who heard `code` that 2 * 3 * 4 = 24_000_000. ' +
          'See <b>this</b> element of the page, which is about nothing but <img src=x>. ' +
          'An ![image of the sea](https://evil.example/x.png) was shown to everyone who came in.\n\n' +
          '> A quote of someone else that is long enough to be picked.\n\n```js\nconst sentence = "code is not prose, and is not picked"\n```\n',
      )
      for (const { handle } of shippedPersonas) {
        const { text } = await verified(store, handle, { thread, number: 1 })
        const { html, mentions } = render(text, { thread })
        expect(mentions).toEqual([])
        const page = read(html)
        expect(page.querySelectorAll('img, b, s, code, a[href*=evil]').length).toBe(0)
        expect(text).not.toMatch(/someone else|code is not prose/)
      }
    })

    it('answers about a busy thread within its bounds', async () => {
      for (let n = 2; n <= 120; n++) {
        await write(
          store.db,
          thread,
          n % 2 ? 'ada' : 'ben',
          `Point ${n} is that the harbour of town ${n % 13} needs a wall against the sea of kind ${n % 7}.`,
          { parent: n % 5 === 0 ? 1 : n - 1 },
        )
      }
      const { text, quotations } = await verified(store, 'catch-up', { thread, number: 1, since: 1 })
      expect(text).toContain('119 posts')
      expect(quotations.length).toBeLessThan(30)
    })
  })
})
