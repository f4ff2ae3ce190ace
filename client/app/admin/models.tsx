import { useRef, useState } from 'preact/hooks'
import type { ModelInfo, ModelTest } from '../../../shared/models.ts'
import { duration } from '../../views/figures.ts'
import { grouped } from '../../views/format.ts'
import { Confirm, Item, Section, wordsOf } from './form.tsx'
import { ModelForm, providers } from './model-form.tsx'
import type { SectionProps } from './personas.tsx'

/** The language models that AI participants may have. */
export function Models({ api, models, onChanged }: SectionProps & { models: readonly ModelInfo[] }) {
  return (
    <Section
      id="models"
      title="Models"
      addLabel="Add a model"
      empty={
        models.length === 0 &&
        'None yet. Until there is one, AI participants answer with extracts of what they read, and say so.'
      }
      form={(close) => (
        <ModelForm
          send={async ({ apiKey = null, ...input }) => {
            await api.addModel({ ...input, apiKey })
            close()
            await onChanged(`${input.name} was added.`)
          }}
          onClose={close}
        />
      )}
    >
      {models.map((model) => (
        <OneModel key={model.id} {...{ api, model, onChanged }} />
      ))}
    </Section>
  )
}

type Tested = 'running' | ModelTest | { failed: string }

function OneModel({ api, model, onChanged }: SectionProps & { model: ModelInfo }) {
  const { id, name } = model
  const fixed = model.source === 'environment'
  const [open, setOpen] = useState<'form' | 'deleting'>()
  const [tested, setTested] = useState<Tested>()
  const [problem, setProblem] = useState<string>()
  const edit = useRef<HTMLButtonElement>(null)
  function close() {
    setOpen(undefined)
    edit.current?.focus()
  }

  async function test() {
    setTested('running')
    setTested(await api.testModel(id).catch((error: unknown) => ({ failed: wordsOf(error) })))
  }

  async function remove() {
    setProblem(undefined)
    try {
      await api.deleteModel(id)
      await onChanged(`${name} was deleted.`)
    } catch (error) {
      close()
      setProblem(wordsOf(error))
    }
  }

  return (
    <Item
      title={
        <>
          <bdi>{name}</bdi>
          {model.isDefault && <span class="admin-tag">default</span>}
          {fixed && <span class="admin-tag">set by the environment</span>}
        </>
      }
      facts={<p class="note">{factsOf(model)}</p>}
      actions={
        <>
          <button
            type="button"
            class="action"
            disabled={tested === 'running'}
            aria-label={`Test ${name}`}
            onClick={() => void test()}
          >
            Test
          </button>
          {!fixed && (
            <>
              <button
                ref={edit}
                type="button"
                class="action action-strong"
                aria-expanded={open === 'form'}
                aria-label={`Edit ${name}`}
                onClick={() => setOpen(open === 'form' ? undefined : 'form')}
              >
                Edit
              </button>
              <button
                type="button"
                class="action"
                aria-label={`Delete ${name}`}
                onClick={() => setOpen('deleting')}
              >
                Delete
              </button>
            </>
          )}
        </>
      }
    >
      <div role="status">{tested !== undefined && <Outcome tested={tested} />}</div>
      <p class="problem" role="alert">
        {problem}
      </p>
      {open === 'deleting' && (
        <Confirm
          question="Delete it? Who had it gets the site’s default."
          yes="Delete"
          no="Keep"
          onYes={() => void remove()}
          onNo={close}
        />
      )}
      {open === 'form' && (
        <ModelForm
          model={model}
          send={async (input) => {
            await api.changeModel(id, input)
            close()
            setTested(undefined)
            await onChanged(`${input.name} was saved.`)
          }}
          onClose={close}
        />
      )}
    </Item>
  )
}

function Outcome({ tested }: { tested: Tested }) {
  if (tested === 'running') return <p class="note">Asking it for a word…</p>
  if ('failed' in tested) return <p class="problem">{tested.failed}</p>
  if (!tested.ok) return <p class="problem">{tested.problem}</p>
  return (
    <p class="admin-good">
      It answered in {tested.ms < 1_000 ? `${tested.ms} ms` : duration(tested.ms)}: “<bdi>{tested.text}</bdi>”
    </p>
  )
}

function factsOf({
  provider,
  baseUrl,
  model,
  hasKey,
  contextTokens,
  inputPrice,
  outputPrice,
  currency,
}: ModelInfo) {
  return [
    model,
    baseUrl ?? providers[provider],
    hasKey ? 'a key is stored' : 'no key',
    `${grouped(contextTokens)} tokens`,
    ...(inputPrice !== null && outputPrice !== null
      ? [`${inputPrice} and ${outputPrice} ${currency} a million`]
      : []),
  ].join(' · ')
}
