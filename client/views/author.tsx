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

/** The author's initials. Machines get a square, people a circle. */
export function Avatar({ author }: { author: Author }) {
  return (
    <span class="avatar" data-tone={tone(author.id)} data-kind={author.kind} aria-hidden="true">
      {initials(author.name)}
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
