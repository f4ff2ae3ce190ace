import { createBlocks, type Block } from './blocks.ts'
import { caretAttribute, createCaret } from './caret.ts'
import { loadExtra } from './extras.ts'
import { morph, removeFrom } from './morph.ts'
import { createOutline } from './outline.ts'
import { createRenderer, type ExtraName, type Extras } from './renderer.ts'
import { repair } from './repair.ts'
import { createSettledBlocks } from './settled-blocks.ts'
import { wholeWords } from './whole-words.ts'

/** A growing text, drawn into an element. */
export interface Drawing {
  /** Brings the element to the text so far. Returns false where there is more to draw than a frame has time for. */
  draw(text: string): boolean
  /** Draws all of the text as it stands: no more of it will come. */
  finish(text: string): void
  /** Takes over the HTML of the whole text, and keeps the nodes that are the same in it. */
  settle(html: string): void
}

/** Milliseconds of a frame that drawing may take. */
const frameMs = 8

export interface DrawingOptions {
  /** The id of the thread that the text stands in. */
  readonly thread: string
  /** This server's address. */
  readonly publicUrl: string
  /** Where what is loaded for code and formulas is kept: several views may share it. */
  readonly extras: Extras
  /** Something was loaded that lets the text look better: it should be drawn again. */
  readonly onLoaded: () => void
}

export function createDrawing(into: HTMLElement, options: DrawingOptions): Drawing {
  const { extras } = options
  const outline = createOutline()
  const caret = createCaret(into)
  const asked = new Set<ExtraName>()
  let shown = ''
  let parts = begin()

  function begin() {
    const renderer = createRenderer({ ...options, want })
    const waiting: Block[] = []
    return { blocks: createBlocks(outline), renderer, waiting, settled: createSettledBlocks(into, renderer) }
  }

  function want(name: ExtraName): void {
    if (asked.has(name)) return
    asked.add(name)
    loadExtra(extras, name).then(options.onLoaded, () => {
      // The server's HTML will have what is missing.
    })
  }

  /** Takes the text so far; one that does not go on from what is shown is another text. */
  function take(text: string): void {
    if (!text.startsWith(shown)) {
      shown = ''
      parts = begin()
    }
    parts.waiting.push(...parts.blocks.add(text.slice(shown.length)))
    shown = text
  }

  function drawSettled(until: number): boolean {
    const { waiting, settled } = parts
    while (waiting.length > 0) {
      if (performance.now() > until) return false
      settled.add(waiting.shift()!)
    }
    return settled.improve(extras, until)
  }

  return {
    draw(text) {
      take(text)
      if (!drawSettled(performance.now() + frameMs)) return false
      const { blocks, renderer, settled } = parts
      settled.drawBehind(renderer.open(repair(wholeWords(blocks.open()), outline)))
      caret.move()
      return true
    },
    finish(text) {
      take(text)
      parts.waiting.push(parts.blocks.end())
      drawSettled(Infinity)
      parts.settled.drawBehind('')
      caret.remove()
    },
    settle(html) {
      const template = document.createElement('template')
      template.innerHTML = html
      caret.remove()
      removeFrom(morph(into, into.firstChild, template.content.childNodes, caretAttribute))
    },
  }
}
