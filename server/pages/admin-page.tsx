import { renderPage, type Frame } from './frame.tsx'

/** Path of the page for admins. */
export const adminPath = '/admin'

/** Where admins look after AI participants. What is on it is put there by its script. */
export function renderAdminPage(frame: Frame): string {
  const head = { title: 'Admin', description: 'For admins.', path: adminPath, hidden: true }
  return renderPage(frame, head, <Admin />, { page: 'admin' })
}

function Admin() {
  return (
    <>
      <nav class="back" aria-label="Back">
        <a href="/">← Back to all posts</a>
      </nav>
      <h1 class="title">Admin</h1>
      <noscript>
        <p class="empty">This page needs JavaScript. Reading does not.</p>
      </noscript>
      <div id="admin" class="admin">
        <p class="empty">Loading…</p>
      </div>
    </>
  )
}
