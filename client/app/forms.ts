import { Problem } from '../../shared/errors.ts'
import { createApi, type Api } from '../api.ts'
import { remembered } from './storage.ts'

type Field = (name: string) => string

/** Makes the forms of the sign-in and new-thread pages work, and signing out. */
export function startForms(): void {
  const api = createApi()
  handle('guest-form', async (field) => {
    await api.signInGuest(field('name'))
    leave()
  })
  handle('sign-in-form', async (field) => {
    await api.signIn(field('email'), field('password'))
    leave()
  })
  handle('sign-up-form', async (field) => {
    await api.signUp(field('name'), field('email'), field('password'))
    leave()
  })
  handle('provider-form', async () => {
    location.assign(await api.signInElsewhere(location.href))
  })
  startNewThread(api)
  // The form comes and goes with the reader, so its place is listened to.
  document.getElementById('who')?.addEventListener('submit', (event) => {
    event.preventDefault()
    api.signOut().then(
      () => location.reload(),
      () => {},
    )
  })
}

function startNewThread(api: Api): void {
  const draft = remembered('draft:new-thread')
  const form = document.getElementById('new-thread-form')
  const body = form?.querySelector('textarea')
  if (body) {
    body.value ||= draft.get() ?? ''
    body.addEventListener('input', () => draft.set(body.value === '' ? null : body.value))
  }
  handle('new-thread-form', async (field) => {
    if (field('name') !== '') await api.signInGuest(field('name'))
    const url = field('url')
    const input = { title: field('title'), body: field('body'), ...(url === '' ? {} : { url }) }
    const { thread } = await api.createThread(input)
    draft.set(null)
    location.assign(`/t/${thread.id}`)
  })
}

/** Sends a form by `send`, and shows in it what went wrong. */
function handle(id: string, send: (field: Field) => Promise<void>): void {
  const form = document.getElementById(id)
  if (!(form instanceof HTMLFormElement)) return
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit(form, send)
  })
}

async function submit(form: HTMLFormElement, send: (field: Field) => Promise<void>): Promise<void> {
  const data = new FormData(form)
  const field: Field = (name) => {
    const value = data.get(name)
    return typeof value === 'string' ? (name === 'password' ? value : value.trim()) : ''
  }
  const button = form.querySelector('button')
  const problem = form.querySelector<HTMLElement>('.problem')
  if (button) button.disabled = true
  try {
    await send(field)
  } catch (error) {
    if (problem === null) throw error
    problem.textContent = error instanceof Problem ? describe(error) : 'Something went wrong'
  } finally {
    if (button) button.disabled = false
  }
}

function describe({ message, issues }: Problem): string {
  const first = issues?.[0]
  return first === undefined ? message : `${first.path}: ${first.message}`
}

/** Back to where the reader came from, on this site only. */
function leave(): void {
  const to = new URL(new URLSearchParams(location.search).get('to') ?? '/', location.origin)
  location.assign(to.origin === location.origin ? to.href : '/')
}
