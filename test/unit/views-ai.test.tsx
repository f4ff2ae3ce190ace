import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { Avatar } from '../../client/views/author.tsx'
import { Foot, type FootState } from '../../client/views/foot.tsx'
import { duration, price } from '../../client/views/figures.ts'
import { askable, permissions } from '../../client/views/permissions.ts'
import { PersonaButton } from '../../client/views/persona.tsx'
import { PostMain, postAttributes } from '../../client/views/post.tsx'
import { ReportPanel } from '../../client/views/run-report.tsx'
import type { Viewer } from '../../client/page-state.ts'
import type { Post } from '../../shared/post.ts'
import type { RunReport } from '../../shared/run.ts'
import { ada, aPost, aThread, check } from '../helpers/posts.ts'
import { aPersona, aReply, aReport, explain } from '../helpers/ai-posts.ts'

const thread = aThread().id
const asker: Viewer = { ...ada, role: 'member' }
const stranger: Viewer = { id: 'other', name: 'Other', kind: 'guest', role: 'guest' }
const moderator: Viewer = { id: 'mo', name: 'Mo', kind: 'person', role: 'moderator' }
const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&amp;': '&' }
const text = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&\w+;/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim()

const main = (post: Post, thinking = false) =>
  renderToString(<PostMain thread={thread} post={post} thinking={thinking} />)

function foot(post: Post, viewer: Viewer | null, state: FootState = {}): string {
  const may = permissions(viewer, false, post)
  return renderToString(
    <Foot
      post={post}
      viewerId={viewer?.id}
      may={may}
      hasReplies={false}
      hasParent={post.parent !== null}
      state={state}
    />,
  )
}
const actions = (html: string) => [...html.matchAll(/data-action="([\w-]+)"/g)].map(([, name]) => name)

describe('a reply of an AI', () => {
  test('shows its picture in a square of its own and is labelled', () => {
    const html = renderToString(<Avatar author={explain} />)
    expect(text(html)).toBe('🔎')
    expect(html).toContain('data-kind="ai"')
    expect(text(renderToString(<Avatar author={check} />))).toBe('C')
    expect(text(main(aReply(2)))).toContain('Explain AI')
  })

  test('is thinking until there is text, and then writing', () => {
    expect(text(main(aReply(2), true))).toContain('is thinking…')
    expect(text(main(aReply(2)))).toContain('is writing…')
    expect(text(main(aReply(2, { state: 'complete' }), true))).not.toContain('is thinking…')
  })

  test('names who asked for it, and their words as text', () => {
    expect(text(main(aReply(2)))).toContain('asked by Ada Byron')
    const html = main(aReply(2, { request: 'explain <b>section 2</b>' }))
    expect(text(html)).toContain('asked by Ada Byron: “explain <b>section 2</b>”')
    expect(html).not.toContain('<b>section')
    expect(html).not.toMatch(/class="asked">[^/]*<a /)
    expect(text(main(aPost(2)))).not.toContain('asked by')
  })

  test('is busy for screen readers while it is written, and never live', () => {
    expect(postAttributes(aReply(2), 1)).toMatchObject({ 'aria-busy': 'true', 'data-state': 'streaming' })
    expect(postAttributes(aReply(2, { state: 'complete' }), 1)).not.toHaveProperty('aria-busy')
    expect(main(aReply(2))).not.toContain('aria-live')
  })

  test('keeps its text in the same element before and after its end', () => {
    const body = (html: string) => /<div class="body">(<div [^>]*>)/.exec(html)?.[1]
    expect(body(main(aReply(2)))).toBe(body(main(aReply(2, { state: 'complete', html: '<p>Done</p>' }))))
    expect(body(main(aReply(2)))).toBeDefined()
  })

  test.each([
    ['interrupted', 'The server that wrote this reply went away.'],
    ['stopped', 'This reply was stopped.'],
    ['failed', 'This reply could not be written.'],
  ] as const)('%s says why, or else what that means', (state, words) => {
    expect(text(main(aReply(2, { state })))).toContain(words)
    const html = text(main(aReply(2, { state, reason: 'The model fell silent' })))
    expect(html).toContain('The model fell silent')
    expect(html).not.toContain(words)
  })

  test('says nothing of an end to a post that nobody asked for', () => {
    expect(text(main(aPost(2, { author: check, state: 'interrupted' })))).not.toContain('went away')
  })
})

describe('the foot of a reply', () => {
  test('offers Stop to who asked and to moderators, and to all what readers always have', () => {
    expect(actions(foot(aReply(2), asker))).toEqual(['stop', 'reply', 'pick', 'parent', 'link', 'more'])
    expect(actions(foot(aReply(2), moderator))).toContain('stop')
    expect(actions(foot(aReply(2), stranger))).toEqual(['reply', 'pick', 'parent', 'link', 'more'])
    expect(actions(foot(aReply(2), null))).not.toContain('stop')
    const unasked = aPost(2, { author: explain, state: 'streaming', run: 'r' })
    expect(actions(foot(unasked, null))).not.toContain('stop')
    expect(text(foot(aReply(2), asker, { stopping: true }))).toContain('Stopping…')
  })

  test.each(['interrupted', 'stopped', 'failed'] as const)(
    'offers Retry after %s to who may reply',
    (state) => {
      const ended = aReply(2, { state })
      expect(actions(foot(ended, stranger))).toEqual(expect.arrayContaining(['retry-ask', 'run-report']))
      expect(actions(foot(ended, stranger))).not.toContain('ask-again')
      const locked = permissions(stranger, true, ended)
      const html = renderToString(
        <Foot
          post={ended}
          viewerId="x"
          may={locked}
          hasReplies={false}
          hasParent={ended.parent !== null}
          state={{}}
        />,
      )
      expect(actions(html)).toEqual(['parent', 'link', 'more', 'run-report'])
    },
  )

  test('offers to ask again once it is whole', () => {
    const whole = foot(aReply(2, { state: 'complete', html: '<p>x</p>' }), stranger)
    expect(actions(whole)).toEqual(expect.arrayContaining(['ask', 'quote', 'ask-again', 'run-report']))
    expect(actions(whole)).not.toContain('retry-ask')
  })

  test('cannot ask an agent outside again, nor one that no run wrote', () => {
    const outside = aPost(2, { author: explain, run: 'r' })
    expect(actions(foot(outside, stranger))).toContain('run-report')
    expect(actions(foot(outside, stranger))).not.toContain('ask-again')
    expect(actions(foot(aPost(2, { author: check }), stranger))).not.toContain('run-report')
  })

  test('offers Ask AI like Reply: not on what is being written, and not in a locked thread', () => {
    expect(actions(foot(aPost(2), null))).toContain('ask')
    expect(actions(foot(aReply(2), asker))).not.toContain('ask')
    expect(permissions(asker, true, aPost(2)).ask).toBe(false)
    expect(permissions(moderator, true, aPost(2)).ask).toBe(true)
    expect(permissions(asker, false, aPost(2, { state: 'deleted' })).ask).toBe(false)
  })

  test('tells which participants do not reply, until that is taken away', () => {
    const html = foot(aPost(2), asker, { unanswered: ['@explain does not reply: The budget is used up.'] })
    expect(text(html)).toContain('@explain does not reply: The budget is used up.')
    expect(html).toContain('role="alert"')
    expect(actions(html)).toContain('dismiss')
  })
})

describe('who can be asked', () => {
  const all = [
    aPersona('explain'),
    aPersona('members', { askers: 'members' }),
    aPersona('mods', { askers: 'moderators' }),
    aPersona('agent', { external: true }),
  ]
  test.each([
    ['somebody without a name', null, ['explain']],
    ['a guest', stranger, ['explain']],
    ['a member', asker, ['explain', 'members']],
    ['a moderator', moderator, ['explain', 'members', 'mods']],
  ])('by %s', (_, viewer, handles) => {
    expect(askable(all, viewer).map(({ handle }) => handle)).toEqual(handles)
  })

  test('says what it does and what answers for it', () => {
    const show = (persona = aPersona('explain')) =>
      renderToString(<PersonaButton persona={persona} first={false} busy={false} onPress={() => {}} />)
    expect(show()).toContain('data-handle="explain"')
    expect(text(show())).toBe('EExplain @explain · a-model What explain does.')
    expect(text(show(aPersona('explain', { offline: true, picture: '🔎' })))).toContain(
      'offline: picks sentences only',
    )
  })
})

describe('what the AI read', () => {
  const report = (changes: Partial<RunReport>) =>
    renderToString(<ReportPanel thread={thread} number={2} run={aReport(changes)} />)
  const piece = (number: number, changes = {}) =>
    ({
      kind: 'post',
      thread,
      number,
      author: 'Ada Byron',
      why: 'ancestor',
      tokens: 10,
      cut: false,
      ...changes,
    }) as const
  const section = (n: number, changes = {}) =>
    ({
      kind: 'section',
      document: 1,
      section: n,
      heading: `Part ${n}`,
      why: 'article',
      tokens: 10,
      cut: false,
      ...changes,
    }) as const
  const document = {
    document: 1,
    url: 'https://www.essays.example/chair',
    title: 'On <chairs>',
    hash: '0123456789abcdef',
    sections: 12,
  }

  test('lists posts with their authors and why each was read', () => {
    const pieces = [
      piece(17, { why: 'asked' }),
      piece(3, { author: '<i>Bo', cut: true }),
      piece(4, { thread: 'otherThrea', why: 'embedded' }),
    ]
    const html = report({ manifest: { pieces, documents: [], leftOut: 0, budget: 8000, tokens: 1234 } })
    expect(html).toContain(`href="/t/${thread}/17"`)
    expect(text(html)).toContain('#17 Ada Byron · the post that it was asked about')
    expect(text(html)).toContain('#3 <i>Bo · further up the branch, cut short')
    expect(html).toContain('href="/t/otherThrea/4"')
    expect(text(html)).toContain('#4 of another thread')
    expect(text(html)).toContain(
      '3 posts, about 1234 tokens of the 8000 that there was room for. One was cut short.',
    )
  })

  test('lists the sections of a linked page, and says what could not be read', () => {
    const missing = { document: 2, url: 'https://gone.example/', title: '', hash: null, sections: 0 }
    const html = report({
      manifest: {
        pieces: [section(1), section(4, { heading: null, cut: true })],
        documents: [document, { ...missing, problem: 'The page was not found' }],
        leftOut: 10,
        budget: 8000,
        tokens: 20,
      },
    })
    expect(html).toContain('href="https://www.essays.example/chair"')
    expect(text(html)).toContain('On <chairs> · essays.example, 2 of 12 sections, as text 01234567')
    expect(text(html)).toContain('§1 Part 1')
    expect(text(html)).toContain('§4 without a heading · cut short')
    expect(text(html)).toContain('https://gone.example/ · gone.exampleThe page was not found')
    expect(text(html)).toContain('One was cut short, 10 more found no room.')
  })

  test('leads nowhere but to pages of the web', () => {
    const manifest = {
      pieces: [],
      documents: [{ ...document, url: 'javascript:alert(1)' }],
      leftOut: 0,
      budget: 1,
      tokens: 0,
    }
    expect(report({ manifest })).not.toContain('href="javascript')
  })

  test('says who wrote it for whom, how long it took and what it cost', () => {
    const words = text(
      report({
        request: 'explain section 2',
        usage: { input: 23_400, output: 512, estimated: false },
        cost: { amount: 0.00312, currency: 'EUR' },
        firstTextMs: 840,
        durationMs: 12_400,
      }),
    )
    expect(words).toContain('Explain (@explain), version 3')
    expect(words).toContain('Modela-model')
    expect(words).toContain('Asked byAda Byron: “explain section 2”')
    expect(words).toContain('Tokens23 400 read, 512 written')
    expect(words).toContain('Time12 s, the first text after 0.8 s')
    expect(words).toContain('Cost0.0031 EUR')
    expect(words).not.toContain('Offline')
    expect(words).toContain('Nothing was cut or left out.')
  })

  test('calls estimates estimates', () => {
    const words = text(
      report({
        usage: { input: 400, output: 12, estimated: true },
        cost: { amount: 2, currency: 'EUR' },
      }),
    )
    expect(words).toContain('about 400 read, about 12 written')
    expect(words).toContain('about 2.00 EUR')
  })

  test('says what cannot be known, and what is no model', () => {
    expect(text(report({ offline: true }))).toContain('only picks sentences')
    expect(text(report({ external: true, manifest: null, model: '' }))).toContain('not known here')
    expect(text(report({ manifest: null }))).toContain('ended before it had read anything')
  })

  test('keeps reasoning in a closed fold, as text', () => {
    const html = report({ reasoning: 'First <script>x</script>\nthen' })
    expect(html).toMatch(/<details class="reasoning"><summary>Reasoning/)
    expect(text(html)).toContain('First <script>x</script> then')
    expect(html).not.toContain('<script>')
    expect(report({})).not.toContain('<details')
  })

  test('shows that it is on its way, and why it does not come', () => {
    const panel = (props: object) => renderToString(<ReportPanel thread={thread} number={2} {...props} />)
    expect(panel({})).toContain('aria-busy="true"')
    expect(text(panel({ problem: 'The server could not be reached' }))).toBe(
      'The server could not be reached',
    )
  })
})

test.each([
  [840, '0.8 s'],
  [3_000, '3 s'],
  [9_960, '10 s'],
  [125_000, '2 min 5 s'],
  [3 * 3_600_000, '3 h'],
])('%i ms as %s', (ms, words) => expect(duration(ms)).toBe(words))

test.each([
  [0.00312, '0.0031 EUR'],
  [0.00001, 'less than 0.0001 EUR'],
  [0, '0.00 EUR'],
  [12.5, '12.50 EUR'],
])('a price of %d', (amount, words) => expect(price({ amount, currency: 'EUR' })).toBe(words))
