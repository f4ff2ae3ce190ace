import { count } from '../views/format.ts'

export interface UnreadParts {
  /** The button that leads to new posts out of view. */
  pill: HTMLButtonElement
  /** Where screen readers hear how many there are. */
  status: HTMLElement
  element: (number: number) => HTMLElement | null
  /** Makes the post visible, should it be folded away. */
  reveal: (number: number) => void
}

/** Counts new posts that have not been in view yet, and leads to them one by one. */
export interface Unread {
  /** `spoken` is how many of them screen readers have not been told of in another way. */
  add(numbers: readonly number[], spoken?: number): void
}

// Screen readers are told at most this often: a lively thread would never let them finish a sentence.
const announceMs = 4_000

/** Marks a post for the moment in which it is first seen. */
function flash(post: Element): void {
  post.classList.add('new')
  post.addEventListener('animationend', () => post.classList.remove('new'), { once: true })
}

export function createUnread({ pill, status, element, reveal }: UnreadParts): Unread {
  const unread = new Set<number>()
  let announcing: ReturnType<typeof setTimeout> | undefined
  let fresh = 0
  const { title } = document

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue
        observer.unobserve(target)
        unread.delete(Number(target.id.slice(1)))
        flash(target)
      }
      draw()
    },
    { rootMargin: '-48px 0px -64px 0px' },
  )

  /** Where a post lies seen from the view: above it, in it or below. */
  function side(number: number): number {
    const { top, bottom } = element(number)?.getBoundingClientRect() ?? { top: 0, bottom: 0 }
    return bottom < 0 ? -1 : top > window.innerHeight ? 1 : 0
  }

  /** The next one down, or the first of those above. */
  function next(): number | undefined {
    const tops = [...unread].map((number) => ({
      number,
      top: element(number)?.getBoundingClientRect().top ?? 0,
    }))
    tops.sort((a, b) => a.top - b.top)
    return (tops.find(({ top }) => top > 0) ?? tops[0])?.number
  }

  function draw(): void {
    for (const number of unread) if (element(number) === null) unread.delete(number)
    pill.hidden = unread.size === 0
    document.title = unread.size === 0 ? title : `(${unread.size}) ${title}`
    const goal = next()
    if (goal === undefined) return
    pill.textContent = `${count(unread.size, 'new post')} ${side(goal) < 0 ? '↑' : '↓'}`
  }

  function announce(): void {
    if (announcing !== undefined) return
    announcing = setTimeout(() => {
      announcing = undefined
      status.textContent = count(fresh, 'new post')
      fresh = 0
    }, announceMs)
  }

  pill.addEventListener('click', () => {
    const goal = next()
    if (goal === undefined) return
    unread.delete(goal)
    reveal(goal)
    draw()
  })

  return {
    add(numbers, spoken = numbers.length) {
      if (numbers.length === 0) return
      fresh += spoken
      if (spoken > 0) announce()
      for (const number of numbers) {
        const post = element(number)
        if (post === null) continue
        if (side(number) === 0 && document.visibilityState === 'visible' && !post.hidden) flash(post)
        else {
          unread.add(number)
          observer.observe(post)
        }
      }
      draw()
    },
  }
}
