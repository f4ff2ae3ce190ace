import type { Author } from '../../shared/post.ts'
import { initials, tone } from './format.ts'

const kinds = {
  ai: { label: 'AI', title: 'Written by a machine' },
  guest: { label: 'guest', title: 'Without an account' },
} as const

/** Says in words what is not a person with an account. */
export function Kind({ kind }: { kind: Author['kind'] }) {
  if (kind === 'person') return null
  const { label, title } = kinds[kind]
  return (
    <span class={`kind kind-${kind}`} title={title}>
      {label}
    </span>
  )
}

/** The author's picture or initials. Machines get a square, people a circle. */
export function Avatar({ author }: { author: Author }) {
  const { id, name, kind, picture } = author
  return (
    <span
      class={picture === undefined ? 'avatar' : 'avatar avatar-picture'}
      data-tone={tone(id)}
      data-kind={kind}
      aria-hidden="true"
    >
      {picture ?? initials(name)}
    </span>
  )
}

export function AuthorName({ author }: { author: Author }) {
  return (
    <>
      <bdi class="name">{author.name}</bdi>
      {author.kind !== 'person' && ' '}
      <Kind kind={author.kind} />
    </>
  )
}
