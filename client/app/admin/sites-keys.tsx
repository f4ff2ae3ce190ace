import { useState } from 'preact/hooks'
import { limits } from '../../../shared/limits.ts'
import type { AddSiteKey, Site } from '../../../shared/site.ts'
import { AreaField, ChoiceField, TextField } from '../../views/fields.tsx'
import { moment } from '../../views/format.ts'
import { Form, textOf, wordsOf } from './form.tsx'
import { KeyList, Once, type KeyRow } from './keys.tsx'
import type { SectionProps } from './personas.tsx'

type Algorithm = AddSiteKey['algorithm']
const algorithms: Record<Algorithm, string> = {
  HS256: 'HS256: a secret, made here',
  EdDSA: 'EdDSA (Ed25519): you give the public key',
}

/** The keys by which a site's own server says who its readers are. */
export function SiteKeys({ api, site, onChanged }: SectionProps & { site: Site }) {
  const [made, setMade] = useState<{ id: string; name: string; key: string }>()
  const [problem, setProblem] = useState<string>()
  const [algorithm, setAlgorithm] = useState<Algorithm>('HS256')
  /** Empties the form by making it anew. */
  const [round, setRound] = useState(0)

  async function revoke({ id, name }: KeyRow) {
    setProblem(undefined)
    try {
      await api.revokeSiteKey(site.id, id)
      if (made?.id === id) setMade(undefined)
      await onChanged(`${name} was revoked.`)
    } catch (error) {
      setProblem(wordsOf(error))
    }
  }

  async function add(input: AddSiteKey) {
    const { key, secret } = await api.addSiteKey(site.id, input)
    setMade(secret === undefined ? undefined : { id: key.id, name: key.name, key: secret })
    setRound((n) => n + 1)
    await onChanged(`${key.name} was added.`)
  }

  return (
    <section class="admin-keys" aria-label={`Keys of ${site.name}`}>
      <h4>Keys</h4>
      <p class="note">
        By a token (JWT) that its own server signs, a site tells who its reader is. The token says aud:{' '}
        <code>{site.id}</code>
      </p>
      <KeyList
        keys={site.keys.map(({ id, name, algorithm: kind, createdAt }) => ({
          id,
          name,
          facts: (
            <>
              {kind}, kid <code>{id}</code>, made {moment(createdAt)}
            </>
          ),
        }))}
        question="Revoke it? Nobody is signed in by tokens of it any more."
        onRevoke={(key) => void revoke(key)}
      />
      {made !== undefined && <Once made={made} />}
      <p class="problem" role="alert">
        {problem}
      </p>
      <Form
        key={round}
        label={`New key for ${site.name}`}
        submitLabel={algorithm === 'HS256' ? 'Make a key' : 'Add the key'}
        send={(data) => add(inputOf(data, algorithm))}
      >
        {(problems) => (
          <>
            <TextField
              name="name"
              label="Name of the key"
              hint="Where it is used, say."
              required
              maxLength={limits.nameMax}
              problems={problems}
            />
            <ChoiceField
              name="algorithm"
              label="Kind"
              choices={Object.entries(algorithms)}
              chosen={algorithm}
              onChoose={(value) => setAlgorithm(value as Algorithm)}
              problems={problems}
            />
            {algorithm === 'EdDSA' && (
              <AreaField
                name="publicKey"
                label="Public key"
                hint="In PEM: it begins with -----BEGIN PUBLIC KEY-----"
                required
                rows={4}
                maxLength={limits.publicKeyMax}
                spellcheck={false}
                problems={problems}
              />
            )}
          </>
        )}
      </Form>
    </section>
  )
}

function inputOf(data: FormData, algorithm: Algorithm): AddSiteKey {
  const name = textOf(data, 'name')
  return algorithm === 'HS256'
    ? { algorithm, name }
    : { algorithm, name, publicKey: textOf(data, 'publicKey') }
}
