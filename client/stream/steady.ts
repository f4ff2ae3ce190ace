/** Lets a growing element change without ever getting lower: what lies below would jump up, only to be pushed down again. */
export interface Steady {
  around(change: () => void): void
  /** Lets it be as high as its content. */
  release(): void
}

export function createSteady(element: HTMLElement): Steady {
  /** The width at which the height is kept. */
  let keptAt: number | undefined

  function release(): void {
    if (keptAt !== undefined) element.style.minHeight = ''
    keptAt = undefined
  }

  return {
    around(change) {
      const before = element.getBoundingClientRect()
      if (keptAt !== before.width) release()
      change()
      if (element.getBoundingClientRect().height >= before.height) return
      element.style.minHeight = `${before.height}px`
      keptAt = before.width
    },
    release,
  }
}
