import { render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ModelInfo } from '../../shared/models.ts'
import type { AdminPersona, AiUsage } from '../../shared/persona-admin.ts'
import type { Site } from '../../shared/site.ts'
import type { Api } from '../api.ts'
import { Usage } from '../views/admin-usage.tsx'
import { createAdminApi, type AdminApi } from './admin/api.ts'
import { wordsOf } from './admin/form.tsx'
import { Models } from './admin/models.tsx'
import { Personas } from './admin/personas.tsx'
import { Sites } from './admin/sites.tsx'
import './styles/admin.css'

/** Brings the admin page to life. */
export function startAdmin(api: Pick<Api, 'request'>): void {
  const root = document.getElementById('admin')
  if (root === null) return
  root.replaceChildren()
  render(<Admin api={createAdminApi(api)} />, root)
}

interface Known {
  personas: AdminPersona[]
  models: ModelInfo[]
  usage: AiUsage
  sites: Site[]
}

function Admin({ api }: { api: AdminApi }) {
  const [known, setKnown] = useState<Known>()
  const [problem, setProblem] = useState<string>()
  const [said, setSaid] = useState('')

  async function load(): Promise<void> {
    try {
      const [personas, models, usage, sites] = await Promise.all([
        api.personas(),
        api.models(),
        api.usage(),
        api.sites(),
      ])
      setKnown({ personas, models, usage, sites })
      setProblem(undefined)
    } catch (error) {
      setProblem(wordsOf(error))
    }
  }
  useEffect(() => void load(), [])

  async function onChanged(done: string): Promise<void> {
    await load()
    setSaid(done)
  }

  return (
    <>
      <p class="unseen" role="status">
        {said}
      </p>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}{' '}
          <button type="button" class="action action-strong" onClick={() => void load()}>
            Try again
          </button>
        </p>
      )}
      {known === undefined && problem === undefined && <p class="empty">Loading…</p>}
      {known !== undefined && (
        <>
          <Personas {...{ api, onChanged }} personas={known.personas} models={known.models} />
          <Models {...{ api, onChanged }} models={known.models} />
          <section aria-labelledby="usage">
            <div class="admin-head">
              <h2 id="usage">Usage today</h2>
              <button type="button" class="action" onClick={() => void onChanged('Usage is up to date.')}>
                Refresh
              </button>
            </div>
            <Usage usage={known.usage} />
          </section>
          <Sites {...{ api, onChanged }} sites={known.sites} />
        </>
      )}
    </>
  )
}
