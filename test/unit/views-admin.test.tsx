import { renderToString } from 'preact-render-to-string'
import { describe, expect, test } from 'vitest'
import { Usage } from '../../client/views/admin-usage.tsx'
import { AreaField, CheckField, ChoiceField, TextField } from '../../client/views/fields.tsx'
import { SignedIn } from '../../client/views/signed-in.tsx'
import { byField } from '../../client/app/admin/form.tsx'
import { renderAdminPage } from '../../server/pages/admin-page.tsx'
import { Problem } from '../../shared/errors.ts'
import type { AiUsage } from '../../shared/persona-admin.ts'
import { ada } from '../helpers/posts.ts'
import { pageInline } from '../../server/pages/frame.tsx'
import { refusedInline } from '../helpers/inline.ts'

const usage: AiUsage = {
  day: '2026-05-06',
  allowed: { site: 1_000_000, thread: 200_000, person: 100_000, guest: 20_000 },
  site: { spent: 250_000, reserved: 50_000 },
  threads: [{ id: 'k3v9x2q7ab', title: 'On <chairs>', spent: 200_000, reserved: 0 }],
  people: [{ id: 'g', name: 'Gus', kind: 'guest', spent: 999, reserved: 50_000 }],
}

/** The text of HTML, with one space for each gap. */
const textOf = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()

describe('fields', () => {
  test('are tied to their label, their hint and their own problem', () => {
    const problems = { name: 'is another’s', handle: 'is taken' }
    const html = renderToString(<TextField name="handle" label="Handle" hint="By @." problems={problems} />)
    const [, id] = /<label for="([^"]+)">Handle<\/label>/.exec(html)!
    expect(html).toContain(`id="${id}"`)
    expect(html).toContain(`aria-describedby="${id}-hint ${id}-problem"`)
    expect(html).toContain(`<p class="problem" id="${id}-problem">is taken</p>`)
    expect(html).toContain('aria-invalid')
    expect(html).not.toContain('another')
  })

  test('without a problem say nothing of one', () => {
    const html = renderToString(
      <>
        <TextField name="a" label="A" problems={{}} />
        <AreaField name="b" label="B" problems={{}} />
        <ChoiceField
          name="c"
          label="C"
          problems={{}}
          chosen="2"
          choices={[
            ['1', 'One'],
            ['2', 'Two'],
          ]}
        />
        <CheckField name="d" label="D" on />
      </>,
    )
    expect(html).not.toContain('aria-invalid')
    expect(html).not.toContain('aria-describedby')
    expect(html).toMatch(/<option value="2" selected>Two/)
    expect(html).toMatch(/type="checkbox"[^>]* checked/)
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(4)
  })

  test('get what the server says of them, and the form the rest', () => {
    const names = new Set(['handle', 'name'])
    const issues = [
      { path: '/handle', message: 'first' },
      { path: '/handle', message: 'second' },
      { path: '/other', message: 'third' },
    ]
    expect(byField(new Problem('invalid', { issues }), names)).toEqual({
      handle: 'first',
      '': 'other: third',
    })
    // What is wrong with one of a list is said where the list is typed.
    const within = [
      { path: '/origins/1', message: 'is none' },
      { path: '/rules/keep/0', message: 'is no name' },
      { path: '/rules', message: 'is no rule' },
    ]
    expect(byField(new Problem('invalid', { issues: within }), new Set(['origins', 'rules/keep']))).toEqual({
      origins: 'is none',
      'rules/keep': 'is no name',
      '': 'rules: is no rule',
    })
    expect(byField(new Problem('forbidden', { detail: 'No.' }), names)).toEqual({ '': 'No.' })
    expect(byField(new TypeError('x of undefined'), names)).toEqual({ '': 'Something went wrong' })
  })
})

describe('usage', () => {
  test('is told in all and by who took most', () => {
    const html = renderToString(<Usage usage={usage} />)
    const text = textOf(html).replaceAll('\u202f', ' ')
    expect(text).toContain('250 000 of 1 000 000 tokens on 6 May 2026 (UTC).')
    expect(text).toContain('50 000 more are set aside')
    expect(html).toContain('max="1000000" value="300000"')
    expect(html).toContain('<a href="/t/k3v9x2q7ab">On &lt;chairs></a>')
    expect(text).toContain('Gus guest 999 50 000')
  })

  test('is told where nothing is limited, and where nothing was asked', () => {
    const idle = { ...usage, allowed: null, site: { spent: 0, reserved: 0 }, threads: [], people: [] }
    const html = renderToString(<Usage usage={idle} />)
    expect(textOf(html)).toBe(
      '0 tokens on 6 May 2026 (UTC). Nothing is limited. Nobody has asked an AI today.',
    )
    expect(html).not.toContain('<progress')
    expect(html).not.toContain('<table')
  })
})

describe('the way to the admin page', () => {
  test('is shown to admins only', () => {
    const link = (role: 'admin' | 'moderator' | 'member') =>
      renderToString(<SignedIn viewer={{ ...ada, role }} path="/" />).includes('href="/admin"')
    expect([link('admin'), link('moderator'), link('member')]).toEqual([true, false, false])
  })

  test('leads to a page that is not for search engines and holds no inline code', () => {
    const frame = {
      viewer: { ...ada, name: '</script><b>', role: 'admin' as const },
      assets: { scripts: ['/assets/main.js'], modules: [], styles: ['/assets/main.css'] },
      publicUrl: 'https://talk.example',
    }
    const html = renderAdminPage(frame)
    expect(html).toContain('<meta name="robots" content="noindex"/>')
    expect(html).toContain('id="admin"')
    expect(html).not.toMatch(/<[^>]+ (style|on[a-z]+)=/)
    expect(html).not.toContain('</script><b>')
    expect(refusedInline(html, `script-src ${pageInline.scripts!.join(' ')}`)).toEqual([])
  })
})
