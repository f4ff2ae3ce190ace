import type { Block } from './blocks.ts'
import { caretAttribute } from './caret.ts'
import { morph, removeFrom } from './morph.ts'
import type { ExtraName, Extras, Renderer, Settled } from './renderer.ts'

/** The settled blocks as nodes of an element, with what is still open behind them. */
export interface SettledBlocks {
  /** Draws one more. Its nodes are not touched any more, but for what the other methods say. */
  add(block: Block): void
  /** Draws the HTML of what is open, or nothing for an empty one. */
  drawBehind(html: string): void
  /**
   * Draws those blocks again that were drawn before `extras` had come or what they name was defined. Returns false where that
   * is not done by `until`, a time of the page's clock in milliseconds.
   */
  improve(extras: Extras, until: number): boolean
}

interface Drawn {
  settled: Settled
  nodes: readonly ChildNode[]
}

export function createSettledBlocks(into: HTMLElement, renderer: Renderer): SettledBlocks {
  const template = document.createElement('template')
  /** How many nodes of the element belong to settled blocks. */
  let count = 0
  const lacking = new Set<Drawn>()
  /** Those that can be drawn better now. */
  const outdated = new Set<Drawn>()
  /** The blocks that are drawn again when a label they name is defined after all. */
  const naming = new Map<string, Drawn[]>()
  let openHtml: string | undefined

  function nodesOf(html: string): ChildNode[] {
    template.innerHTML = html
    return [...template.content.childNodes]
  }

  function firstOpen(): ChildNode | null {
    return into.childNodes[count] ?? null
  }

  function redraw(drawn: Drawn): void {
    drawn.settled = drawn.settled.again()
    const { nodes } = drawn
    const wanted = nodesOf(drawn.settled.html)
    const { length } = wanted
    const before = nodes[0]!.previousSibling
    if (length === nodes.length) {
      for (const [index, node] of nodes.entries()) morph(into, node, [wanted[index]!], caretAttribute)
    } else {
      nodes[0]!.before(...wanted)
      for (const node of nodes) node.remove()
    }
    count += length - nodes.length
    drawn.nodes = nodesBehind(before, length)
    if (drawn.settled.lacks.size > 0) lacking.add(drawn)
  }

  /** So many nodes behind another one, or from the first on. */
  function nodesBehind(before: ChildNode | null, length: number): ChildNode[] {
    const nodes: ChildNode[] = []
    let node = before === null ? into.firstChild : before.nextSibling
    for (; nodes.length < length && node !== null; node = node.nextSibling) nodes.push(node)
    return nodes
  }

  return {
    add(block) {
      const settled = renderer.settle(block)
      const wanted = nodesOf(settled.html)
      morph(into, firstOpen(), wanted, caretAttribute)
      const nodes = nodesBehind(into.childNodes[count - 1] ?? null, wanted.length)
      count += wanted.length
      openHtml = undefined
      const drawn = { settled, nodes }
      if (nodes.length > 0) {
        if (settled.lacks.size > 0) lacking.add(drawn)
        for (const label of block.labels) {
          if (renderer.defines(label)) continue
          const others = naming.get(label)
          if (others === undefined) naming.set(label, [drawn])
          else others.push(drawn)
        }
      }
      for (const label of block.definitions.keys()) {
        for (const one of naming.get(label) ?? []) outdated.add(one)
        naming.delete(label)
      }
    },
    drawBehind(html) {
      if (html === openHtml) return
      removeFrom(morph(into, firstOpen(), nodesOf(html), caretAttribute))
      openHtml = html
    },
    improve(extras, until) {
      for (const drawn of lacking) {
        if (![...drawn.settled.lacks].some((name: ExtraName) => extras[name] !== undefined)) continue
        lacking.delete(drawn)
        outdated.add(drawn)
      }
      for (const drawn of outdated) {
        if (performance.now() > until) return false
        outdated.delete(drawn)
        redraw(drawn)
      }
      return true
    },
  }
}
