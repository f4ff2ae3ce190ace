/** What one viewer got since counting began. */
export interface Heard {
  /** Whether it read what it got. Others know how many bytes came, and no more. */
  sampled: boolean
  posts: Set<number>
  /** Posts that it was sent more than once. */
  repeated: number
  bytes: number
  frames: number
  /** Why it has no connection any more. */
  lost: string | undefined
}

export interface Tally {
  /** Posts times the viewers who got them. */
  deliveries: number
  /** Deliveries that should have been and were not, as far as it is known: see `tally`. */
  missing: number
  /** Viewers who missed something or have lost their connection. */
  viewersMissing: number
  repeated: number
  /** WebSocket messages and payload bytes that all viewers got. */
  frames: number
  bytes: number
  /** Of one viewer, the least and the most. */
  leastBytes: number
  mostBytes: number
  /** What is wrong, in words. */
  notes: string[]
}

/**
 * Of groups of viewers who should all have got the same, `expected` posts each. Those who read everything are asked; the
 * others got everything if they got as many bytes as those who did. Who got fewer counts as having missed the share of
 * posts that the bytes are short by, one at the least.
 */
export function tally(groups: readonly (readonly Heard[])[], expected: readonly number[]): Tally {
  const sum: Tally = {
    deliveries: 0,
    missing: 0,
    viewersMissing: 0,
    repeated: 0,
    frames: 0,
    bytes: 0,
    leastBytes: Infinity,
    mostBytes: 0,
    notes: [],
  }
  for (const [index, group] of groups.entries()) addGroup(sum, group, expected[index] ?? 0)
  return sum
}

function addGroup(sum: Tally, group: readonly Heard[], expected: number): void {
  // More may have come than was acknowledged: an answer can be lost when its post is not.
  const whole = group.filter(({ sampled, posts }) => sampled && posts.size >= expected)
  const most = whole.reduce((size, { posts }) => Math.max(size, posts.size), expected)
  const complete = whole.filter(({ posts }) => posts.size === most)
  const bytes = complete.reduce((least, heard) => Math.min(least, heard.bytes), Infinity)
  for (const heard of group) {
    sum.frames += heard.frames
    sum.bytes += heard.bytes
    sum.leastBytes = Math.min(sum.leastBytes, heard.bytes)
    sum.mostBytes = Math.max(sum.mostBytes, heard.bytes)
    sum.repeated += heard.repeated
    let got = most
    if (heard.sampled) got = heard.posts.size
    else if (complete.length === 0) got = 0
    else if (heard.bytes < bytes) got = Math.min(most - 1, Math.floor((most * heard.bytes) / bytes))
    got = Math.max(0, got)
    sum.deliveries += got
    if (got === most && heard.lost === undefined) continue
    sum.missing += most - got
    sum.viewersMissing++
    const note = heard.lost ?? `missed ${most - got} of ${most} posts`
    if (sum.notes.length < 5) sum.notes.push(note)
  }
}
