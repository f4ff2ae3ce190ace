import { Problem } from '../../shared/errors.ts'
import type { Api } from '../api.ts'

/** What a field of the form holds. */
export type Field = (name: string) => string

/** Makes the forms of the sign-in page work, and signing out. */
export function startForms(api: Api): void {
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
    location.assign(await api.signInElsewhere(cameFrom()))
  })
  // The form comes and goes with the reader, so its place is listened to.
  document.getElementById('who')?.addEventListener('submit', (event) => {
    event.preventDefault()
    api.signOut().then(
      () => location.reload(),
      () => {},
    )
  })
}

/** Sends a form by `send`, and shows in it what went wrong. */
export function handle(id: string, send: (field: Field) => Promise<void>): void {
  const form = document.getElementById(id)
  if (!(form instanceof HTMLFormElement)) return
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit(form, send)
  })
}

/** Does something with what a form holds now, and shows in it what went wrong. */
export async function submit(form: HTMLFormElement, send: (field: Field) => Promise<void>): Promise<void> {
  const data = new FormData(form)
  const field: Field = (name) => {
    const value = data.get(name)
    return typeof value === 'string' ? (name === 'password' ? value : value.trim()) : ''
  }
  const button = form.querySelector<HTMLButtonElement>('button[type=submit]')
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

function leave(): void {
  location.assign(cameFrom())
}

/** Where the reader came from, on this site only. */
function cameFrom(): string {
  const to = new URL(new URLSearchParams(location.search).get('to') ?? '/', location.origin)
  return to.origin === location.origin ? to.href : '/'
}
