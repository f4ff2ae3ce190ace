import type { ComponentChildren } from 'preact'
import type { Typist } from '../../shared/live.ts'
import { count } from './format.ts'
import type { ConnectionNote } from './thread-head.tsx'
import { typingText } from './typing.ts'

export interface EmbedBarProps {
  /** Comments: the root of a page's own thread is none. */
  posts: number
  viewers?: number
  typing?: readonly Typist[]
  connection?: ConnectionNote | undefined
  /** Who the reader is, and what they can do about it. */
  who?: ComponentChildren
}

/** The line above a widget's comments. */
export function EmbedBar({ posts, viewers = 0, typing = [], connection, who }: EmbedBarProps) {
  return (
    <>
      <h2 class="bar-count">{count(posts, 'comment')}</h2>
      <p class="bar-people">
        {/* Who reads alone need not be told. */}
        {viewers > 1 && <span title="Open pages of this thread, yours included">{viewers} reading</span>}
        {typing.length > 0 && <span class="bar-typing">{typingText(typing)}</span>}
      </p>
      {connection !== undefined && (
        <p class={`bar-state bar-${connection.kind}`} title={connection.text}>
          {connection.text}
        </p>
      )}
      <div id="who" class="bar-who">
        {who}
      </div>
    </>
  )
}
