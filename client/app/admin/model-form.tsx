import { useState } from 'preact/hooks'
import { limits } from '../../../shared/limits.ts'
import type { AddModel, ModelInfo } from '../../../shared/models.ts'
import { CheckField, ChoiceField, TextField, type FieldProblems } from '../../views/fields.tsx'
import { Form, textOf } from './form.tsx'

type Provider = ModelInfo['provider']

export const providers: Record<Provider, string> = {
  'openai-compatible': 'OpenAI-compatible (Ollama, vLLM, OpenRouter, OpenAI)',
  anthropic: 'Anthropic',
  google: 'Google',
}

/** What is sent: the key is left out where it stays as it is. */
export type ModelInput = Omit<AddModel, 'apiKey'> & { apiKey?: string | null }

/** Where a model is added or changed. `model` is missing for a new one. */
export function ModelForm(props: {
  model?: ModelInfo
  send(input: ModelInput): Promise<void>
  onClose(): void
}) {
  const { model, onClose } = props
  const [provider, setProvider] = useState<Provider>(model?.provider ?? 'openai-compatible')
  const compatible = provider === 'openai-compatible'
  return (
    <Form
      label={model === undefined ? 'New model' : `Edit ${model.name}`}
      submitLabel={model === undefined ? 'Add' : 'Save'}
      send={(data) => props.send(inputOf(data, provider))}
      onClose={onClose}
    >
      {(problems) => (
        <>
          <TextField
            name="name"
            label="Name"
            hint="As readers see it."
            required
            maxLength={limits.nameMax}
            defaultValue={model?.name}
            problems={problems}
          />
          <ChoiceField
            name="provider"
            label="Provider"
            choices={Object.entries(providers)}
            chosen={provider}
            onChoose={(value) => setProvider(value as Provider)}
            problems={problems}
          />
          <TextField
            name="baseUrl"
            label="Address of the server"
            hint={compatible ? 'Such as http://localhost:11434/v1' : 'Empty: the provider’s own.'}
            type="url"
            required={compatible}
            maxLength={limits.urlMax}
            defaultValue={model?.baseUrl ?? ''}
            problems={problems}
          />
          <TextField
            name="model"
            label="Model"
            hint="As its server calls it."
            required
            maxLength={limits.modelNameMax}
            autocapitalize="none"
            spellcheck={false}
            defaultValue={model?.model}
            problems={problems}
          />
          <KeyField stored={model?.hasKey === true} problems={problems} />
          <Sizes model={model} problems={problems} />
        </>
      )}
    </Form>
  )
}

/** A key goes in and never comes out. */
function KeyField({ stored, problems }: { stored: boolean; problems: FieldProblems }) {
  const [removing, setRemoving] = useState(false)
  return (
    <>
      <TextField
        name="apiKey"
        label="API key"
        hint={
          stored ? 'A key is stored. Leave this empty to keep it.' : 'Empty where its server asks for none.'
        }
        type="password"
        autocomplete="new-password"
        maxLength={limits.apiKeyMax}
        disabled={removing}
        wide
        problems={problems}
      />
      {stored && (
        <CheckField name="removeKey" label="Remove the stored key" on={false} onChange={setRemoving} />
      )}
    </>
  )
}

function Sizes({ model, problems }: { model: ModelInfo | undefined; problems: FieldProblems }) {
  return (
    <>
      <TextField
        name="contextTokens"
        label="Context, in tokens"
        hint="What it can read and write together."
        type="number"
        required
        min={2_000}
        max={100_000_000}
        defaultValue={model?.contextTokens ?? 32_768}
        problems={problems}
      />
      <TextField
        name="currency"
        label="Currency"
        required
        pattern="[A-Z]{3}"
        title="Three capital letters, such as USD"
        maxLength={3}
        defaultValue={model?.currency ?? 'USD'}
        problems={problems}
      />
      <TextField
        name="inputPrice"
        label="Price of a million tokens read"
        hint="Empty: no costs are shown."
        type="number"
        min={0}
        step="any"
        defaultValue={model?.inputPrice ?? ''}
        problems={problems}
      />
      <TextField
        name="outputPrice"
        label="Price of a million tokens written"
        type="number"
        min={0}
        step="any"
        defaultValue={model?.outputPrice ?? ''}
        problems={problems}
      />
    </>
  )
}

function inputOf(data: FormData, provider: Provider): ModelInput {
  const price = (name: string) => (textOf(data, name) === '' ? null : Number(data.get(name)))
  const key = textOf(data, 'apiKey')
  return {
    name: textOf(data, 'name'),
    provider,
    baseUrl: textOf(data, 'baseUrl') || null,
    model: textOf(data, 'model'),
    ...(key !== '' ? { apiKey: key } : data.has('removeKey') && { apiKey: null }),
    contextTokens: Number(data.get('contextTokens')),
    inputPrice: price('inputPrice'),
    outputPrice: price('outputPrice'),
    currency: textOf(data, 'currency'),
  }
}
