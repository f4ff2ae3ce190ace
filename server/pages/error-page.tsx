import { renderPage, type Frame } from './frame.tsx'

/** A page that tells what went wrong: `title` in a few words, `detail` in a sentence. */
export function renderErrorPage(
  frame: Frame,
  { title, detail }: { title: string; detail: string | undefined },
): string {
  const head = { title, description: title, path: '/', hidden: true }
  return renderPage(
    frame,
    head,
    <div class="error">
      <h1 class="title">{title}</h1>
      {detail !== undefined && detail !== title && <p>{detail}</p>}
      <p>
        <a href="/">← Back to all posts</a>
      </p>
    </div>,
  )
}
