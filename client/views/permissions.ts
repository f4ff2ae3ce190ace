import type { Persona } from '../../shared/persona.ts'
import type { Post } from '../../shared/post.ts'
import type { Viewer } from '../page-state.ts'

/** What the page offers a reader. The server decides; this only spares them offers that it would refuse. */
export interface Permissions {
  reply: boolean
  react: boolean
  edit: boolean
  delete: boolean
  /** Asking an AI participant to reply to the post. */
  ask: boolean
  /** Stopping the AI that writes it. */
  stop: boolean
}

/** Who has not signed in is offered what needs no more than a name. */
export function permissions(viewer: Viewer | null, locked: boolean, post: Post): Permissions {
  const may = moderates(viewer)
  const open = (may || !locked) && post.state !== 'deleted'
  const own = may || (viewer?.id === post.author.id && !locked)
  const written = post.state !== 'deleted' && post.state !== 'streaming'
  const stop = post.state === 'streaming' && (may || (viewer !== null && viewer.id === post.asker?.id))
  return {
    reply: open,
    react: open,
    edit: own && written,
    delete: own && written,
    ask: open && written,
    stop,
  }
}

/** Those whom the reader may ask to reply. Who has not signed in is offered what needs no more than a name. */
export function askable(personas: readonly Persona[], viewer: Viewer | null): Persona[] {
  const member = viewer !== null && viewer.kind !== 'guest'
  return personas.filter(
    ({ askers, external }) =>
      !external && (askers === 'everyone' || moderates(viewer) || (askers === 'members' && member)),
  )
}

export function moderates(viewer: Viewer | null): boolean {
  return viewer?.role === 'moderator' || viewer?.role === 'admin'
}
