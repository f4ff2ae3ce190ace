import { Problem } from '../../../shared/errors.ts'
import { limits } from '../../../shared/limits.ts'
import type { AddSite, Site, SiteDefaults } from '../../../shared/site.ts'
import { AreaField, CheckField, ChoiceField, TextField, type FieldProblems } from '../../views/fields.tsx'
import { Form, textOf } from './form.tsx'

/** Where a site is added or changed. `site` is missing for a new one. */
export function SiteForm(props: { site?: Site; send(input: AddSite): Promise<void>; onClose(): void }) {
  const { site, send, onClose } = props
  return (
    <Form
      label={site === undefined ? 'New site' : `Edit ${site.name}`}
      submitLabel={site === undefined ? 'Add' : 'Save'}
      send={async (data) => send(inputOf(data))}
      onClose={onClose}
    >
      {(problems) => (
        <>
          <TextField
            name="name"
            label="Name"
            hint="Who opens the threads of its pages, as readers see it."
            required
            wide
            maxLength={limits.nameMax}
            defaultValue={site?.name}
            problems={problems}
          />
          <AreaField
            name="origins"
            label="Origins"
            hint="One a line, with http or https: https://example.org, or https://*.example.org for all hosts below it."
            required
            rows={3}
            spellcheck={false}
            autocapitalize="none"
            defaultValue={site?.origins.join('\n')}
            problems={problems}
          />
          <Rules rules={site?.rules} problems={problems} />
          <Defaults defaults={site?.defaults} problems={problems} />
        </>
      )}
    </Form>
  )
}

/** What makes two addresses one page. Fields are named by where the server keeps them. */
function Rules({ rules, problems }: { rules: Site['rules'] | undefined; problems: FieldProblems }) {
  const aliases = Object.entries(rules?.aliases ?? {})
  return (
    <>
      <TextField
        name="rules/keep"
        label="Parameters that name a page"
        hint="Such as id, for pages that are told apart by ?id=7. All others do not count."
        wide
        spellcheck={false}
        autocapitalize="none"
        defaultValue={rules?.keep.join(', ')}
        problems={problems}
      />
      <AreaField
        name="rules/aliases"
        label="Other names of hosts"
        hint="One a line: www.example.org = example.org makes pages of both hosts one."
        rows={2}
        spellcheck={false}
        autocapitalize="none"
        defaultValue={aliases.map(([alias, host]) => `${alias} = ${host}`).join('\n')}
        problems={problems}
      />
      <CheckField
        name="rules/trailingSlash"
        label="/a/ and /a are one page"
        on={rules?.trailingSlash ?? true}
      />
      <CheckField
        name="rules/index"
        label="/a/index.html and /a/ are one page"
        hint="So are index.htm and index.php. Rules that change later do not move the comments that are there."
        on={rules?.index ?? true}
      />
    </>
  )
}

const themeWords = { auto: 'As the page', light: 'Light', dark: 'Dark' } as const
const sortWords = { oldest: 'Oldest first', newest: 'Newest first' } as const

/** How its widgets look where their elements say nothing else. */
function Defaults({ defaults, problems }: { defaults: SiteDefaults | undefined; problems: FieldProblems }) {
  return (
    <>
      <ChoiceField
        name="defaults/theme"
        label="Colours"
        choices={Object.entries(themeWords)}
        chosen={defaults?.theme ?? 'auto'}
        problems={problems}
      />
      <ChoiceField
        name="defaults/sort"
        label="Order"
        choices={Object.entries(sortWords)}
        chosen={defaults?.sort ?? 'oldest'}
        problems={problems}
      />
      <TextField
        name="defaults/locale"
        label="Language of dates"
        hint="Such as de or pt-BR. Empty: the reader’s own."
        maxLength={35}
        spellcheck={false}
        autocapitalize="none"
        defaultValue={defaults?.locale}
        problems={problems}
      />
      <CheckField
        name="defaults/collapsed"
        label="Closed until a reader opens it"
        on={defaults?.collapsed ?? false}
      />
      <CheckField
        name="defaults/readOnly"
        label="For reading only"
        hint="Widgets offer no way to write."
        on={defaults?.readOnly ?? false}
      />
    </>
  )
}

function inputOf(data: FormData): AddSite {
  const lines = (name: string) =>
    textOf(data, name)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  return {
    name: textOf(data, 'name'),
    origins: lines('origins'),
    rules: {
      keep: textOf(data, 'rules/keep')
        .split(/[\s,]+/)
        .filter((name) => name !== ''),
      aliases: Object.fromEntries(lines('rules/aliases').map(aliasOf)),
      trailingSlash: data.has('rules/trailingSlash'),
      index: data.has('rules/index'),
    },
    defaults: {
      theme: textOf(data, 'defaults/theme') as SiteDefaults['theme'],
      sort: textOf(data, 'defaults/sort') as SiteDefaults['sort'],
      collapsed: data.has('defaults/collapsed'),
      readOnly: data.has('defaults/readOnly'),
      locale: textOf(data, 'defaults/locale'),
    },
  }
}

function aliasOf(line: string): [alias: string, host: string] {
  const [alias = '', host = '', more] = line.split('=').map((name) => name.trim())
  if (alias !== '' && host !== '' && more === undefined) return [alias, host]
  const message = `“${line}” is not two hosts with = between them`
  throw new Problem('invalid', { issues: [{ path: '/rules/aliases', message }] })
}
