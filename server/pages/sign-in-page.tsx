import { limits } from '../../shared/limits.ts'
import type { Viewer } from '../../client/page-state.ts'
import { renderPage, signInPage, type Frame } from './frame.tsx'

/**
 * Where people choose a guest name, sign in or sign up. The forms are sent by the page's script. `provider` is the name
 * of the site's identity provider, where it has one; `withAccount` is for where guests come no further.
 */
export function renderSignInPage(frame: Frame, provider?: string, withAccount = false): string {
  const head = { title: 'Sign in', description: 'Choose a name, or sign in.', path: signInPage, hidden: true }
  return renderPage(frame, head, <SignIn {...{ provider, withAccount, viewer: frame.viewer }} />)
}

function SignIn(props: { provider: string | undefined; withAccount: boolean; viewer: Viewer | null }) {
  const { provider, withAccount, viewer } = props
  return (
    <>
      <h1 class="title">Sign in</h1>
      <noscript>
        <p class="empty">Signing in needs JavaScript. Reading does not.</p>
      </noscript>
      {viewer === null ? (
        <Ways provider={provider} asGuest={!withAccount} />
      ) : (
        <AlreadyHere viewer={viewer} provider={provider} />
      )}
    </>
  )
}

function AlreadyHere({ viewer, provider }: { viewer: Viewer; provider: string | undefined }) {
  if (viewer.kind !== 'guest')
    return (
      <p>
        You are signed in as <bdi>{viewer.name}</bdi>. <a href="/">To all posts</a>
      </p>
    )
  return (
    <>
      <p>
        You are here as the guest <bdi>{viewer.name}</bdi>. Sign in or create an account, and what you wrote
        comes with you.
      </p>
      <Ways provider={provider} />
    </>
  )
}

function Ways({ provider, asGuest = false }: { provider: string | undefined; asGuest?: boolean }) {
  return (
    <div class="forms">
      {provider !== undefined && (
        <form id="provider-form" class="form" method="post">
          <h2>{provider}</h2>
          <p>You sign in there and come back.</p>
          <Submit>{`Continue with ${provider}`}</Submit>
        </form>
      )}
      {asGuest && (
        <form id="guest-form" class="form" method="post">
          <h2>As a guest</h2>
          <p>A name is enough to take part. It is yours on this device.</p>
          <Name />
          <Submit>Continue as a guest</Submit>
        </form>
      )}
      <form id="sign-in-form" class="form" method="post">
        <h2>With an account</h2>
        <Email />
        <Password autocomplete="current-password" />
        <Submit>Sign in</Submit>
      </form>
      <form id="sign-up-form" class="form" method="post">
        <h2>New here</h2>
        <p>An account keeps your posts yours on every device.</p>
        <Name />
        <Email />
        <Password autocomplete="new-password" />
        <Submit>Create the account</Submit>
      </form>
    </div>
  )
}

function Name() {
  return (
    <label>
      Name
      <input type="text" name="name" required maxLength={limits.nameMax} autocomplete="nickname" />
    </label>
  )
}

function Email() {
  return (
    <label>
      Email
      <input type="email" name="email" required autocomplete="email" />
    </label>
  )
}

function Password({ autocomplete }: { autocomplete: 'current-password' | 'new-password' }) {
  return (
    <label>
      Password
      <input
        type="password"
        name="password"
        required
        minLength={limits.passwordMin}
        maxLength={limits.passwordMax}
        autocomplete={autocomplete}
      />
      {autocomplete === 'new-password' && <span class="hint">At least {limits.passwordMin} characters.</span>}
    </label>
  )
}

function Submit({ children }: { children: string }) {
  return (
    <>
      <p class="problem" role="alert"></p>
      <button type="submit" class="button">
        {children}
      </button>
    </>
  )
}
