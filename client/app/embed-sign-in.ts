import type { PopupGranted } from '../../shared/site.ts'
import type { Api } from '../api.ts'
import { handle } from './forms.ts'

/**
 * Brings the page to life where a widget's reader signs in. When they agree, the code is shown, and handed to the widget
 * where that opened this window and can still be reached: host pages may cut that tie.
 */
export function startEmbedSignIn(api: Pick<Api, 'request' | 'signOut'>): void {
  const form = document.getElementById('embed-sign-in-form')
  const challenge = form?.dataset['challenge']
  if (challenge === undefined) return

  for (const button of form!.querySelectorAll<HTMLButtonElement>('button[type=submit]'))
    button.disabled = false
  handle('embed-sign-in-form', async () => {
    const { code } = await api.request<PopupGranted>('POST', '/api/embed/sign-in/grant', { challenge })
    show(code)
    hand(code)
  })
  document.getElementById('embed-not-me')?.addEventListener('click', () => {
    // The page comes again, with the way to sign in.
    api.signOut().then(
      () => location.reload(),
      () => {},
    )
  })
}

function show(code: string): void {
  const [asking, shown] = ['embed-asking', 'embed-code'].map((id) => document.getElementById(id)!)
  document.getElementById('embed-code-text')!.textContent = code
  asking!.hidden = true
  shown!.hidden = false
  const copy = document.getElementById('embed-code-copy')!
  // Without encryption browsers have no clipboard for us; the code can be marked and copied by hand.
  copy.hidden = !('clipboard' in navigator)
  copy.addEventListener('click', () => {
    navigator.clipboard.writeText(code).then(
      () => (copy.textContent = 'Copied'),
      () => getSelection()?.selectAllChildren(document.getElementById('embed-code-text')!),
    )
  })
}

/** The widget's frame is of our own origin; whoever else opened this window does not get to see it. */
function hand(code: string): void {
  const widget = window.opener as Window | null
  if (widget === null) return
  addEventListener('message', ({ source, origin, data }: MessageEvent<{ numinex?: unknown } | null>) => {
    if (source !== widget || origin !== location.origin || data?.numinex !== 'code-taken') return
    document.getElementById('embed-code-note')!.textContent = 'You are signed in. You can close this window.'
    close()
  })
  widget.postMessage({ numinex: 'code', code }, location.origin)
}
