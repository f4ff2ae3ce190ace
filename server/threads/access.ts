import { Problem, type ProblemCode } from '../../shared/errors.ts'

export const roles = ['guest', 'member', 'moderator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Who does something. Reading needs nobody; everything else needs an actor. */
export interface Actor {
  readonly id: string
  readonly name: string
  readonly kind: 'person' | 'guest' | 'ai'
  readonly role: Role
}

export type Action =
  | 'create-thread'
  | 'reply'
  | 'ask'
  | 'stop-run'
  | 'react'
  | 'type'
  | 'preview'
  | 'edit-post'
  | 'delete-post'
  | 'change-thread'
  | 'manage-accounts'
  /** AI participants and their models. */
  | 'manage-ai'
  /** Who may embed threads. */
  | 'manage-sites'

/** What an action is done to, as far as the rules ask. */
export interface Subject {
  readonly authorId?: string
  /** Who asked for an AI reply. */
  readonly askerId?: string | null
  readonly locked?: boolean
}

/** All access rules. HTTP, live and pages ask here and nowhere else. */
export function can(actor: Actor | null, action: Action, subject: Subject = {}): boolean {
  return refusal(actor, action, subject) === undefined
}

/** Throws the problem that tells why `actor` may not do it; the actor, known to be there, otherwise. */
export function authorize(actor: Actor | null, action: Action, subject: Subject = {}): Actor {
  const code = refusal(actor, action, subject)
  if (code) throw new Problem(code)
  return actor!
}

function refusal(actor: Actor | null, action: Action, subject: Subject): ProblemCode | undefined {
  if (actor === null) return 'sign-in-required'
  const moderates = actor.role === 'moderator' || actor.role === 'admin'
  switch (action) {
    case 'create-thread':
    case 'preview':
      return undefined
    case 'reply':
    case 'ask':
    case 'react':
    case 'type':
      return subject.locked === true && !moderates ? 'thread-locked' : undefined
    case 'stop-run':
      if (moderates || subject.askerId === actor.id || subject.authorId === actor.id) return undefined
      return 'forbidden'
    case 'edit-post':
    case 'delete-post':
      if (moderates) return undefined
      if (subject.authorId !== actor.id) return 'forbidden'
      return subject.locked === true ? 'thread-locked' : undefined
    case 'change-thread':
      return moderates ? undefined : 'forbidden'
    case 'manage-accounts':
    case 'manage-ai':
    case 'manage-sites':
      return actor.role === 'admin' ? undefined : 'forbidden'
  }
}
