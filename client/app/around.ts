/** Whether a post lies in the view or as near to it as posts are drawn ahead. */
export function isAround(post: HTMLElement): boolean {
  const { top, bottom } = post.getBoundingClientRect()
  return top <= 3 * window.innerHeight && bottom >= -2 * window.innerHeight
}
