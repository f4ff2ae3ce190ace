import { render } from 'preact'
import type { Api } from '../api.ts'
import type { Viewer } from '../page-state.ts'
import { Body } from '../views/body.tsx'
import { signInPath } from '../views/signed-in.tsx'
import { handle, submit } from './forms.ts'
import { createSession } from './session.ts'
import { remembered } from './storage.ts'

/** Brings the form to life in which a thread is begun: its draft, its preview, and sending it. */
export function startNewThread(api: Api, viewer: Viewer | null): void {
  const form = document.getElementById('new-thread-form')
  const body = form?.querySelector('textarea')
  if (!(form instanceof HTMLFormElement) || !body) return
  const session = createSession(api, { viewer, signIn: () => signInPath(location.pathname) }, () => {})
  const draft = remembered('draft:new-thread')
  const shown = document.getElementById('new-thread-shown')

  body.value ||= draft.get() ?? ''
  body.addEventListener('input', () => {
    draft.set(body.value === '' ? null : body.value)
    if (shown) shown.hidden = true
  })

  document.getElementById('new-thread-preview')?.addEventListener('click', () => {
    const name = form.querySelector<HTMLInputElement>('[name=name]')
    if (!body.reportValidity() || name?.reportValidity() === false) return
    void submit(form, async (field) => {
      await session.beGuest(field('name'))
      const { html, embeds } = await api.preview(undefined, field('body'))
      if (shown === null) return
      shown.hidden = false
      render(<Body html={html} embeds={embeds} />, shown)
      shown.scrollIntoView({ block: 'nearest' })
    })
  })

  handle('new-thread-form', async (field) => {
    await session.beGuest(field('name'))
    const url = field('url')
    const input = { title: field('title'), body: field('body'), ...(url === '' ? {} : { url }) }
    const { thread } = await api.createThread(input)
    draft.set(null)
    location.assign(`/t/${thread.id}`)
  })
}
