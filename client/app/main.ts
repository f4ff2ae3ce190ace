import { createApi } from '../api.ts'
import type { PageState, ShownState } from '../page-state.ts'
import { startForms } from './forms.ts'
import { startFrontPage } from './front-page.tsx'
import { startNewThread } from './new-thread.tsx'
import { startTheme } from './theme.ts'
import { startThreadPage } from './thread-page.tsx'

const state = {
  viewer: said('viewer') ?? null,
  ...((said('state') ?? { page: 'other' }) as ShownState),
} as PageState

document.documentElement.classList.add('alive')
startTheme(document.getElementById('theme'))
const api = createApi()
startForms(api)
startNewThread(api, state.viewer)
if (state.page === 'thread') startThreadPage(state)
if (state.page === 'front') startFrontPage(state)
// Readers need not load what only admins see, or who signs in for a widget.
if (document.getElementById('embed-sign-in-form') !== null)
  import('./embed-sign-in.ts').then(({ startEmbedSignIn }) => startEmbedSignIn(api), reportError)
if (state.page === 'admin') import('./admin.tsx').then(({ startAdmin }) => startAdmin(api), reportError)

/** What the page says as JSON in the element with this id. */
function said(id: string): unknown {
  const text = document.getElementById(id)?.textContent
  return text && JSON.parse(text)
}
