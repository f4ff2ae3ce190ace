import { render } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { PopupStarted, WidgetSession } from '../../../shared/site.ts'
import type { Api } from '../../api.ts'
import { problemText } from '../../app/problem-text.ts'
import type { EmbedState } from '../../page-state.ts'
import { siteOf } from '../../views/format.ts'
import type { HostLink } from './host-link.ts'

export interface SignInParts {
  readonly api: Pick<Api, 'request'>
  readonly embed: EmbedState
  readonly link: HostLink
  /** Behind this element it opens. */
  readonly into: HTMLElement
  onSignedIn(session: WidgetSession): void
}

/** Signing in from within a widget: by the host page, or in a window of this server's own. */
export interface SignIn {
  open(): void
}

export function createSignIn({ api, embed, link, into, onSignedIn }: SignInParts): SignIn {
  const place = document.createElement('div')

  function close(): void {
    render(null, place)
    place.remove()
  }

  return {
    open() {
      if (place.isConnected) return close()
      into.after(place)
      const panel = (
        <SignInPanel
          host={siteOf(embed.host)}
          start={() => api.request<PopupStarted>('POST', '/api/embed/sign-in/popup', { host: embed.host })}
          finish={(secret, code) =>
            api.request<WidgetSession>('POST', '/api/embed/sign-in/code', { secret, code })
          }
          {...(embed.vouches && { onHost: () => link.send({ numinex: 'signin', reason: 'wanted' }) })}
          onSignedIn={(session) => {
            close()
            onSignedIn(session)
          }}
          onClose={close}
        />
      )
      render(panel, place)
    },
  }
}

interface PanelProps {
  host: string
  start(): Promise<PopupStarted>
  finish(secret: string, code: string): Promise<WidgetSession>
  /** Leaves it to the host page. */
  onHost?: () => void
  onSignedIn(session: WidgetSession): void
  onClose(): void
}

function SignInPanel({ host, start, finish, onHost, onSignedIn, onClose }: PanelProps) {
  const [started, setStarted] = useState<PopupStarted>()
  const [opened, setOpened] = useState(false)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const panel = useRef<HTMLElement>(null)

  async function begin(): Promise<void> {
    setProblem(undefined)
    await start().then(setStarted, (error: unknown) => setProblem(problemText(error)))
  }
  useEffect(() => void begin(), [])
  useLayoutEffect(() => panel.current?.focus({ preventScroll: true }), [])

  async function use(code: string): Promise<boolean> {
    if (started === undefined || code.trim() === '' || busy) return false
    setBusy(true)
    setProblem(undefined)
    try {
      onSignedIn(await finish(started.secret, code.trim()))
      return true
    } catch (error) {
      setProblem(problemText(error))
      return false
    } finally {
      setBusy(false)
    }
  }

  // Where the browser lets the window speak to us, nobody has to type the code.
  useEffect(() => {
    const hear = ({ origin, data, source }: MessageEvent) => {
      const said = data as { numinex?: unknown; code?: unknown } | null
      if (origin !== location.origin || said?.numinex !== 'code' || typeof said.code !== 'string') return
      void use(said.code).then((taken) => {
        if (taken) (source as Window | null)?.postMessage({ numinex: 'code-taken' }, location.origin)
      })
    }
    window.addEventListener('message', hear)
    return () => window.removeEventListener('message', hear)
  }, [started])

  const address = started && `/embed/sign-in?challenge=${started.challenge}`
  return (
    <section ref={panel} class="sign-in" aria-label="Sign in" tabIndex={-1}>
      {onHost !== undefined && (
        <button
          type="button"
          class="button"
          onClick={() => {
            onHost()
            onClose()
          }}
        >
          Sign in with {host}
        </button>
      )}
      <a
        class="button"
        href={address ?? '#'}
        aria-disabled={address === undefined}
        onClick={(event) => {
          event.preventDefault()
          if (address === undefined) return
          window.open(address, '_blank', 'popup,width=480,height=680')
          setOpened(true)
          // The field is drawn by then.
          setTimeout(() => field.current?.focus(), 0)
        }}
      >
        Sign in in a new window
      </a>
      <button type="button" class="action" onClick={onClose}>
        Cancel
      </button>
      {opened && (
        <form
          class="sign-in-code"
          onSubmit={(event) => {
            event.preventDefault()
            void use(field.current?.value ?? '')
          }}
        >
          <label>
            Code from that window{' '}
            <input
              ref={field}
              name="code"
              type="text"
              maxLength={12}
              size={12}
              autocomplete="one-time-code"
              spellcheck={false}
            />
          </label>
          <button type="submit" class="button" disabled={busy}>
            Go on
          </button>
        </form>
      )}
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
          {started === undefined && (
            <button type="button" class="action" onClick={() => void begin()}>
              Try again
            </button>
          )}
        </p>
      )}
    </section>
  )
}
