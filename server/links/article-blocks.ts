import { articleLimits } from './limits.ts'

/** A heading, or a piece of text between empty lines: a paragraph, a list, a table, code. */
export interface Block {
  readonly kind: 'heading' | 'text'
  readonly text: string
}

/** The text of a part of a document, in order. `skips` says what to leave out with all that is in it. */
export function blocksOf(root: Element, skips: (element: Element) => boolean = () => false): Block[] {
  return collect(root, 0)

  function collect(parent: Element, nesting: number): Block[] {
    const blocks: Block[] = []
    let line = ''
    walk(parent)
    endLine()
    return blocks

    function walk(node: Element): void {
      for (const child of node.childNodes) {
        if (child.nodeType === textNode) line += (child as Text).data.replace(spaces, ' ')
        else if (child.nodeType === elementNode) element(child as Element)
      }
    }

    function element(node: Element): void {
      if (skips(node)) return
      const name = node.localName
      if (name === 'br') line += '\n'
      else if (name === 'math') line += formula(node)
      else if (!blockNames.has(name)) walk(node)
      else {
        endLine()
        block(node, name)
        endLine()
      }
    }

    function block(node: Element, name: string): void {
      if (/^h[1-6]$/.test(name))
        add('heading', oneLine(collect(node, nesting)).replace(/^[#¶§] ?(?=\S)| ?[#¶§]$/g, ''))
      else if (name === 'pre') add('text', code(node))
      else if ((name === 'ul' || name === 'ol') && nesting < articleLimits.nesting)
        add('text', list(node, name === 'ol', nesting))
      else if (name === 'blockquote' && nesting < articleLimits.nesting)
        add('text', quotation(collect(node, nesting + 1)))
      else if (name === 'table' && isData(node)) add('text', rows(node))
      else walk(node)
    }

    /** Ends what is being written. Two line breaks in a row set paragraphs apart. */
    function endLine(): void {
      const text = line
      line = ''
      if (text.trim() === '') return
      for (const paragraph of text.split(/\n\s*\n/)) {
        add(
          'text',
          paragraph
            .replace(/ +/g, ' ')
            .replace(/ ?\n ?/g, '\n')
            .trim(),
        )
      }
    }

    function add(kind: Block['kind'], text: string): void {
      if (text !== '') blocks.push({ kind, text })
    }
  }

  function list(node: Element, numbered: boolean, nesting: number): string {
    let number = 0
    const items = [...node.children].flatMap((item) => {
      const text = collect(item, nesting + 1)
        .map((block) => block.text)
        .join('\n')
      if (skips(item) || text === '') return []
      const mark = numbered ? `${++number}. ` : '- '
      return mark + text.replaceAll('\n', `\n${' '.repeat(mark.length)}`)
    })
    return items.join('\n')
  }

  /** Whether a table holds data: small cells, more than one a row. Others are there for the look of the page. */
  function isData(table: Element): boolean {
    if (table.querySelector('table')) return false
    const lines = [...table.querySelectorAll('tr')]
    if (!lines.some((row) => row.children.length > 1)) return false
    return lines.every((row) =>
      [...row.children].every((cell) => (cell.textContent ?? '').length <= articleLimits.cellMax),
    )
  }

  function rows(table: Element): string {
    const caption = table.querySelector('caption')
    const lines = [...table.querySelectorAll('tr')]
      .filter((row) => !skips(row))
      .map((row) =>
        [...row.children].map((cell) => oneLine(collect(cell, articleLimits.nesting))).join(' | '),
      )
      .filter((row) => /[^\s|]/.test(row))
    return [...(caption ? [oneLine(collect(caption, 0))] : []), ...lines].join('\n')
  }
}

// Some marks count as white space and have no width; they are cleaned away later, and leave no gap.
const spaces = /[^\S\ufeff]+/g

const textNode = 3
const elementNode = 1

function oneLine(blocks: readonly Block[]): string {
  return blocks
    .map(({ text }) => text)
    .join(' ')
    .replace(spaces, ' ')
    .trim()
}

function quotation(blocks: readonly Block[]): string {
  return blocks.map(({ text }) => `> ${text.replaceAll('\n', '\n> ')}`).join('\n>\n')
}

function code(node: Element): string {
  const parts = [...node.childNodes].map(written).join('')
  const text = parts.replace(/^\s*\n/, '').trimEnd()
  return text === '' ? '' : `\`\`\`\n${text}\n\`\`\``
}

function written(node: ChildNode): string {
  if (node.nodeType === textNode) return (node as Text).data.replaceAll('\t', '  ')
  if (node.nodeType !== elementNode) return ''
  if ((node as Element).localName === 'br') return '\n'
  return [...node.childNodes].map(written).join('')
}

/** A formula as its author wrote it, where the page says. */
function formula(math: Element): string {
  const source =
    math.getAttribute('alttext') ??
    math.querySelector('annotation[encoding="application/x-tex"]')?.textContent ??
    math.textContent ??
    ''
  return source.replace(spaces, ' ')
}

const blockNames: ReadonlySet<string> = new Set([
  'address',
  'article',
  'aside',
  'blockquote',
  'body',
  'caption',
  'center',
  'dd',
  'details',
  'dialog',
  'div',
  'dl',
  'dt',
  'fieldset',
  'figcaption',
  'figure',
  'footer',
  'form',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'header',
  'hgroup',
  'hr',
  'legend',
  'li',
  'main',
  'ol',
  'p',
  'pre',
  'search',
  'section',
  'summary',
  'table',
  'tbody',
  'td',
  'tfoot',
  'th',
  'thead',
  'tr',
  'ul',
])
