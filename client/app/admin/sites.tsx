import { useRef, useState } from 'preact/hooks'
import type { Site } from '../../../shared/site.ts'
import { Confirm, Item, Section, wordsOf } from './form.tsx'
import { Copy } from './keys.tsx'
import type { SectionProps } from './personas.tsx'
import { SiteForm } from './sites-form.tsx'
import { SiteKeys } from './sites-keys.tsx'

/** Whose pages may embed threads. */
export function Sites({ api, sites, onChanged }: SectionProps & { sites: readonly Site[] }) {
  return (
    <Section
      id="sites"
      title="Sites"
      addLabel="Add a site"
      empty={
        sites.length === 0 &&
        'Nowhere yet. Threads can be embedded in the pages of the sites that are listed here.'
      }
      form={(close) => (
        <SiteForm
          send={async (input) => {
            await api.addSite(input)
            close()
            await onChanged(`${input.name} was added.`)
          }}
          onClose={close}
        />
      )}
    >
      {sites.map((site) => (
        <OneSite key={site.id} {...{ api, site, onChanged }} />
      ))}
    </Section>
  )
}

const panels = { code: 'Embed', keys: 'Keys', form: 'Edit' } as const
type Panel = keyof typeof panels

function OneSite({ api, site, onChanged }: SectionProps & { site: Site }) {
  const { id, name } = site
  const [open, setOpen] = useState<Panel | 'deleting'>()
  const [problem, setProblem] = useState<string>()
  const edit = useRef<HTMLButtonElement>(null)
  function close() {
    setOpen(undefined)
    edit.current?.focus()
  }

  async function remove() {
    setProblem(undefined)
    try {
      await api.deleteSite(id)
      await onChanged(`${name} was deleted.`)
    } catch (error) {
      close()
      setProblem(wordsOf(error))
    }
  }

  return (
    <Item
      title={<bdi>{name}</bdi>}
      facts={
        <>
          <p>{site.origins.join(', ')}</p>
          <p class="note">{factsOf(site)}</p>
        </>
      }
      actions={
        <>
          {Object.entries(panels).map(([panel, words]) => (
            <button
              key={panel}
              ref={panel === 'form' ? edit : null}
              type="button"
              class={panel === 'form' ? 'action action-strong' : 'action'}
              aria-expanded={open === panel}
              aria-label={`${words} ${name}`}
              onClick={() => setOpen(open === panel ? undefined : (panel as Panel))}
            >
              {words}
            </button>
          ))}
          <button
            type="button"
            class="action"
            aria-label={`Delete ${name}`}
            onClick={() => setOpen('deleting')}
          >
            Delete
          </button>
        </>
      }
    >
      <p class="problem" role="alert">
        {problem}
      </p>
      {open === 'deleting' && (
        <Confirm
          question="Delete it? Its threads stay here, but its pages show them no more, not even when it is added again."
          yes="Delete"
          no="Keep"
          onYes={() => void remove()}
          onNo={close}
        />
      )}
      {open === 'code' && <Snippet />}
      {open === 'keys' && <SiteKeys {...{ api, site, onChanged }} />}
      {open === 'form' && (
        <SiteForm
          site={site}
          send={async (input) => {
            await api.changeSite(id, input)
            close()
            await onChanged(`${input.name} was saved.`)
          }}
          onClose={close}
        />
      )}
    </Item>
  )
}

/** What goes into the pages of any site. */
function Snippet() {
  const code = `<script src="${location.origin}/embed.js" async></script>\n<numinex-thread></numinex-thread>`
  return (
    <div class="admin-snippet">
      <p class="note">This goes into a page where its comments are to be:</p>
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
      <p>
        <Copy text={code} />
      </p>
    </div>
  )
}

function factsOf({ threads, keys, defaults, rules }: Site): string {
  const aliases = Object.keys(rules.aliases).length
  return [
    counted(threads, 'thread'),
    ...(keys.length > 0 ? [counted(keys.length, 'key')] : []),
    ...(rules.keep.length > 0 ? [`pages differ by ${rules.keep.join(', ')}`] : []),
    ...(aliases > 0 ? [counted(aliases, 'other host name')] : []),
    ...(defaults.readOnly ? ['read only'] : []),
  ].join(' · ')
}

const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`
