import * as z from 'zod/mini'
import { typist, type Typist } from '../../shared/live.ts'
import { limits } from '../../shared/limits.ts'
import { liveLimits } from './limits.ts'

/** What a node says of its viewers of a thread. */
const report = z.object({ node: z.string(), viewers: z.int(), typing: z.array(typist) })
type Report = z.infer<typeof report>

/**
 * Who views a thread, on all nodes. Nothing is stored anywhere: each node repeats what it knows of its own viewers,
 * and what is not repeated is forgotten, so a crashed node's viewers go away by themselves.
 */
export interface Presence {
  enter(viewer: string): void
  leave(viewer: string): void
  /** Notes that a viewer writes a reply to `parent`, or with null, that they stopped. */
  type(viewer: string, who: { id: string; name: string }, parent: number | null): void
  /** What another node said; an empty body asks this one to say what it knows. */
  hear(body: string): void
  /** To be called every second or so. */
  tick(): void
  viewers(): number
  typing(): Typist[]
}

export function createPresence(parts: {
  node: string
  now(): number
  /** Tells the other nodes. */
  tell(body: string): void
  /** Something changed that viewers see. */
  onChange(): void
}): Presence {
  const { node, now, tell, onChange } = parts
  const local = new Set<string>()
  const typists = new Map<string, Typist & { until: number }>()
  const others = new Map<string, Report & { heardAt: number }>()
  let toldAt = -Infinity
  let timer: NodeJS.Timeout | undefined

  function announce(): void {
    timer = undefined
    toldAt = now()
    tell(
      JSON.stringify({
        node,
        viewers: local.size,
        typing: localTyping().slice(0, liveLimits.typingShown),
      } satisfies Report),
    )
  }

  function localTyping(): Typist[] {
    return [...typists.values()].map(({ id, name, parent }) => ({ id, name, parent }))
  }

  function changed(): void {
    timer ??= setTimeout(announce, Math.max(0, toldAt + liveLimits.presenceMs - now())).unref()
    onChange()
  }

  return {
    enter(viewer) {
      if (local.has(viewer)) return
      local.add(viewer)
      changed()
    },
    leave(viewer) {
      // Someone who is not counted may write all the same.
      const wrote = typists.delete(viewer)
      if (local.delete(viewer) || wrote) changed()
    },
    type(viewer, who, parent) {
      const known = typists.get(viewer)
      if (parent === null) {
        if (typists.delete(viewer)) changed()
        return
      }
      typists.set(viewer, { ...who, parent, until: now() + limits.typingMs })
      if (known?.parent !== parent || known.name !== who.name) changed()
    },
    hear(body) {
      if (body === '') {
        if (local.size > 0) announce()
        return
      }
      const said = parse(body)
      if (said === undefined || said.node === node) return
      const before = others.get(said.node)
      if (said.viewers === 0) others.delete(said.node)
      else others.set(said.node, { ...said, heardAt: now() })
      if (before?.viewers !== said.viewers || JSON.stringify(before.typing) !== JSON.stringify(said.typing))
        onChange()
    },
    tick() {
      const at = now()
      let gone = false
      for (const [viewer, { until }] of typists) if (until <= at) gone = typists.delete(viewer) || gone
      if (gone) changed()
      for (const [name, { heardAt }] of others) {
        if (heardAt + liveLimits.presenceExpiryMs > at) continue
        others.delete(name)
        onChange()
      }
      if (local.size > 0 && toldAt + liveLimits.presenceRenewMs <= at) announce()
    },
    viewers() {
      let count = local.size
      for (const other of others.values()) count += other.viewers
      return count
    },
    typing() {
      return [...localTyping(), ...[...others.values()].flatMap((other) => other.typing)]
    },
  }
}

function parse(body: string): Report | undefined {
  try {
    const result = report.safeParse(JSON.parse(body))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
