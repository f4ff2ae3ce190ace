/** What a post shows at one of its embeds: a link's preview, or a post. */
export type StoredEmbed = { link: string } | { thread: string; number: number }

/** The rows that say what a post embeds, in order. */
export function embedRows(thread: string, number: number, embeds: readonly StoredEmbed[]) {
  return embeds.map((embed, position) => ({
    thread_id: thread,
    number,
    position,
    link_id: 'link' in embed ? embed.link : null,
    target_thread: 'link' in embed ? null : embed.thread,
    target_number: 'link' in embed ? null : embed.number,
  }))
}
