import { createMarkdown } from '../../shared/markdown.ts'
import { markdownLimits } from '../../shared/markdown-limits.ts'
import { labelsIn, type Block } from './blocks.ts'
import type { Definition } from './outline.ts'
import type { Repaired } from './repair-end.ts'

/** What makes code and formulas look as the server's do. They are loaded when there is something for them. */
export interface Extras {
  highlight?: (code: string, language: string) => string
  math?: (tex: string, display: boolean) => string | null
}
export type ExtraName = keyof Extras

/** Makes HTML of a text block by block, as if it were rendered whole. */
export interface Renderer {
  /** The next settled block. */
  settle(block: Block): Settled
  /** What comes behind the settled blocks. */
  open(source: Repaired): string
  /** Whether a link's label is defined in what has settled. */
  defines(label: string): boolean
}

export interface Settled {
  readonly html: string
  /** What the block would need to look as it should. */
  readonly lacks: ReadonlySet<ExtraName>
  /** Makes the block's HTML again, with what is there and defined by now. */
  again(): Settled
}

/** How much of the text's bounded totals the blocks before have used up. */
interface Used {
  embeds: number
  formulas: number
  tex: number
  code: number
}

const nothing: Used = { embeds: 0, formulas: 0, tex: 0, code: 0 }

/** `want` is called for what is lacking, each time. */
export function createRenderer(options: {
  thread: string
  publicUrl: string
  extras: Extras
  want: (name: ExtraName) => void
}): Renderer {
  const { extras } = options
  const definitions = new Map<string, Definition>()
  /** What an open block's code and formulas were made into, so that it is not made at every frame. */
  let made = new Map<string, string | null>()
  let used = nothing
  // Of the rendering under way.
  let unfinished: Repaired | undefined
  let before = nothing
  let counts = nothing
  let lacks = new Set<ExtraName>()

  const markdown = createMarkdown({
    publicUrl: options.publicUrl,
    highlight(code, language) {
      if (code === unfinished?.code) return ''
      counts = { ...counts, code: counts.code + code.length }
      if (before.code + counts.code > markdownLimits.highlighted) return ''
      return remembered(`${language}\n${code}`, () => extra('highlight')?.(code, language)) ?? ''
    },
    math(tex, display) {
      const source = `<code class="math-source">${escape(tex)}</code>`
      if (tex === unfinished?.tex) return source
      counts = { ...counts, formulas: counts.formulas + 1, tex: counts.tex + tex.length }
      const within =
        before.formulas + counts.formulas <= markdownLimits.formulas &&
        before.tex + counts.tex <= markdownLimits.formulasTotal
      const html = within ? remembered(`$${display}\n${tex}`, () => extra('math')?.(tex, display)) : undefined
      return html === undefined ? source : html
    },
  })

  function extra<Name extends ExtraName>(name: Name): Extras[Name] {
    if (extras[name] === undefined) {
      lacks.add(name)
      options.want(name)
    }
    return extras[name]
  }

  function remembered(key: string, make: () => string | null | undefined): string | null | undefined {
    const known = made.get(key)
    if (known !== undefined) return known
    const html = make()
    if (html !== undefined) made.set(key, html)
    return html
  }

  /** Renders a part of the text, with the definitions that its labels may need in front of it. */
  function render(source: string, labels: Iterable<string>, at: Used): { html: string; uses: Used } {
    ;[before, counts, lacks] = [at, nothing, new Set()]
    let head = ''
    for (const label of labels) {
      const definition = definitions.get(label)
      if (definition !== undefined && isShort(definition)) head += definitionText(label, definition)
    }
    const where = { thread: options.thread }
    let { html, refs } = markdown.render(`${head}${source}`, where)
    if (refs.length > 0 && at.embeds > 0) {
      // Embeds are numbered through the whole text, and so many of them it may have.
      counts = nothing
      const places = `${embed}\n\n`.repeat(at.embeds)
      const whole = markdown.render(`${places}${head}${source}`, where)
      html = whole.html.replace(new RegExp(`^(?:<p class="embed".*</p>\\s*){${at.embeds}}`), '')
      refs = whole.refs.slice(at.embeds)
    }
    return { html, uses: { ...counts, embeds: refs.length } }
  }

  return {
    settle(block) {
      for (const [label, definition] of block.definitions)
        if (!definitions.has(label)) definitions.set(label, definition)
      const at = used
      const again = (): Settled & { uses: Used } => {
        unfinished = undefined
        const { html, uses } = render(block.source, block.labels, at)
        return { html, uses, lacks, again }
      }
      const settled = again()
      const { embeds, formulas, tex } = settled.uses
      used = {
        embeds: used.embeds + embeds,
        formulas: used.formulas + formulas,
        tex: used.tex + tex,
        code: used.code + block.code,
      }
      made = new Map()
      return settled
    },
    open(source) {
      unfinished = source
      return render(source.text, labelsIn(source.text), used).html
    },
    defines: (label) => definitions.has(label),
  }
}

/** Something that is an embed on every server. */
const embed = '/t/1111111111'

/** UTF-16 units of a link's address and title. All that its label is named in repeats them: longer ones are left to the server. */
const longestDefinition = 2_000

function isShort({ href, title = '' }: Definition): boolean {
  return href.length + title.length <= longestDefinition
}

/** A definition as text that means the same. It makes no HTML of its own. */
function definitionText(label: string, { href, title }: Definition): string {
  const escaped = (text: string) =>
    text.replace(/[!-/:-@[-`{-~]/g, (sign) => `\\${sign}`).replaceAll('\n', '&#10;')
  return `[${label}]: <${escaped(href)}>${title ? ` "${escaped(title)}"` : ''}\n\n`
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
