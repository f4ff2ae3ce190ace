import MarkdownIt, { type Env, type Token } from 'markdown-it'
import { addNestingLimits } from '../../shared/markdown-blocks.ts'
import { addLinks } from '../../shared/markdown-links.ts'
import { addMath } from '../../shared/markdown-math.ts'

/** The blocks of a text, without what stands in them, and the link definitions by their labels. */
export interface Outline {
  readonly tokens: readonly Token[]
  readonly definitions: ReadonlyMap<string, Definition>
}

export interface Definition {
  readonly href: string
  readonly title?: string | undefined
}

/** Reads a text whose lines end in `\n`. It is quick: no inline markup is looked at. */
export type ReadOutline = (source: string) => Outline

/** Reads blocks as the dialect does. */
export function createOutline(): ReadOutline {
  const md = new MarkdownIt({ html: false })
  addNestingLimits(md)
  addLinks(md)
  addMath(md, undefined)
  return (source) => {
    const env: Env = {}
    const tokens: Token[] = []
    // The dialect's first step, before it reads blocks.
    md.block.parse(source.replaceAll('\0', '\ufffd'), md, env, tokens)
    return { tokens, definitions: new Map(Object.entries(env.references ?? {})) }
  }
}
