import { limits } from '../../shared/limits.ts'
import { renderPage, type Frame } from './frame.tsx'

/**
 * Where people choose a guest name, sign in or sign up. The forms are sent by the page's script. `provider` is the name
 * of the site's identity provider, where it has one.
 */
export function renderSignInPage(frame: Frame, provider?: string): string {
  const head = { title: 'Sign in', description: 'Choose a name, or sign in.', path: '/sign-in', hidden: true }
  return renderPage(frame, head, <SignIn provider={provider} />)
}

function SignIn({ provider }: { provider: string | undefined }) {
  return (
    <>
      <h1 class="title">Sign in</h1>
      <noscript>
        <p class="empty">Signing in needs JavaScript. Reading does not.</p>
      </noscript>
      <div class="forms">
        {provider !== undefined && (
          <form id="provider-form" class="form" method="post">
            <h2>{provider}</h2>
            <p>You sign in there and come back.</p>
            <Submit>{`Continue with ${provider}`}</Submit>
          </form>
        )}
        <form id="guest-form" class="form" method="post">
          <h2>As a guest</h2>
          <p>A name is enough to take part. It is yours on this device.</p>
          <Name />
          <Submit>Continue as a guest</Submit>
        </form>
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
    </>
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
