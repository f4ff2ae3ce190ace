import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { limits } from '../../../shared/limits.ts'
import type { AgentKey, NewAgentKey } from '../../../shared/persona-admin.ts'
import { TextField } from '../../views/fields.tsx'
import { moment } from '../../views/format.ts'
import type { AdminApi } from './api.ts'
import { Confirm, Form, textOf, wordsOf } from './form.tsx'

/** The keys of an agent outside. A new one is shown once. */
export function Keys({ api, handle }: { api: AdminApi; handle: string }) {
  const [keys, setKeys] = useState<AgentKey[]>([])
  const [made, setMade] = useState<NewAgentKey>()
  const [problem, setProblem] = useState<string>()
  /** Empties the form by making it anew. */
  const [round, setRound] = useState(0)

  async function load() {
    setKeys(await api.keys(handle))
  }
  function attempt(work: () => Promise<void>): void {
    setProblem(undefined)
    work().catch((error: unknown) => setProblem(wordsOf(error)))
  }
  useEffect(() => attempt(load), [handle])

  function revoke(id: string): void {
    attempt(async () => {
      await api.revokeKey(handle, id)
      if (made?.id === id) setMade(undefined)
      await load()
    })
  }

  return (
    <section class="admin-keys" aria-label={`Keys of @${handle}`}>
      <h4>Keys</h4>
      {keys.length === 0 && (
        <p class="note">None yet. The agent writes with a key in the header x-api-key.</p>
      )}
      <KeyList
        keys={keys.map(({ id, name, start, createdAt, lastUsed }) => ({
          id,
          name,
          more: <code>{start}…</code>,
          facts: `made ${moment(createdAt)}, ${lastUsed === undefined ? 'never used' : `last used ${moment(lastUsed)}`}`,
        }))}
        question="Revoke it? Whoever writes with it is cut off at once."
        onRevoke={({ id }) => revoke(id)}
      />
      {made !== undefined && <Once made={made} />}
      <p class="problem" role="alert">
        {problem}
      </p>
      <Form
        key={round}
        label={`New key for @${handle}`}
        submitLabel="Make a key"
        send={async (data) => {
          setMade(await api.addKey(handle, textOf(data, 'name')))
          await load()
          setRound((n) => n + 1)
        }}
      >
        {(problems) => (
          <TextField
            name="name"
            label="Name of the key"
            hint="Where it is used, say."
            required
            maxLength={limits.nameMax}
            problems={problems}
          />
        )}
      </Form>
    </section>
  )
}

export interface KeyRow {
  readonly id: string
  readonly name: string
  /** What stands behind the name. */
  readonly more?: ComponentChildren
  readonly facts: ComponentChildren
}

/** Keys, each of which can be revoked, once that was asked again. */
export function KeyList(props: { keys: readonly KeyRow[]; question: string; onRevoke(key: KeyRow): void }) {
  const { keys, question, onRevoke } = props
  const [revoking, setRevoking] = useState<string>()
  return (
    <ul>
      {keys.map((key) => (
        <li key={key.id}>
          <span>
            <bdi>{key.name}</bdi> {key.more}
          </span>
          <span class="note">{key.facts}</span>
          {revoking === key.id ? (
            <Confirm
              question={question}
              yes="Revoke"
              no="Keep"
              onYes={() => {
                setRevoking(undefined)
                onRevoke(key)
              }}
              onNo={() => setRevoking(undefined)}
            />
          ) : (
            <button
              type="button"
              class="action"
              aria-label={`Revoke ${key.name}`}
              onClick={() => setRevoking(key.id)}
            >
              Revoke
            </button>
          )}
        </li>
      ))}
    </ul>
  )
}

/** A key that was made just now. */
export function Once({ made: { name, key } }: { made: Pick<NewAgentKey, 'name' | 'key'> }) {
  return (
    <div class="admin-key" role="status">
      <p>
        The key <bdi>{name}</bdi>. It is shown now and never again:
      </p>
      <p>
        <code>{key}</code>
      </p>
      <p>
        <Copy text={key} />
      </p>
    </div>
  )
}

/** Browsers that let pages copy do so; in others, one click marks the text. */
export function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <button
      type="button"
      class="action action-strong"
      onClick={() => {
        navigator.clipboard?.writeText(text).then(
          () => setCopied(true),
          () => setCopied(false),
        )
      }}
    >
      {copied ? 'Copied' : 'Copy'}
    </button>
  )
}
