/** Where `#17` would be taken for a post of the thread: after one of these, or at the beginning. */
const beforeReference = `\\s()[\\]{}<>"'“”‘’«»„,;:!*_~|…–—-`

const marks = [
  '[\\\\`*[\\]<~]',
  '&(?=#?\\w+;)',
  '(?<![\\p{L}\\p{N}])_|_(?![\\p{L}\\p{N}])',
  `(?<=^|[${beforeReference}])#(?=[1-9])`,
]
const special = new RegExp(marks.join('|'), 'giu')
const specialOrAddress = new RegExp(['https?:\\/\\/[^\\s<>"\\\\]+', '\\$', ...marks].join('|'), 'giu')

/**
 * Text as Markdown that says nothing but it. `dollars`: the whole has several dollars, which could make a formula.
 * Addresses in it become links, unless it stands in one.
 */
export function escapeText(text: string, { dollars, inLink }: { dollars: boolean; inLink: boolean }): string {
  if (inLink) return text.replace(special, '\\$&').replaceAll('$', dollars ? '\\$' : '$')
  return text.replace(specialOrAddress, (found: string, at: number) => {
    if (found.length > 1) return autolink(found, text[at + found.length])
    return found === '$' && !dollars ? found : `\\${found}`
  })
}

/**
 * An address in running text: bare where neither it nor what follows could be taken for markup or for more of it, in
 * brackets otherwise.
 */
function autolink(url: string, next: string | undefined): string {
  let end = url.length
  while (/[.,;:!?'")\]}*_~`]/.test(url[end - 1]!)) end--
  const address = url.slice(0, end)
  const rest = url.slice(end).replace(/[`*[\]~_]/g, '\\$&')
  const bare =
    !/[`*_~[\]#$]/.test(address) && /^[.,;:!?]?$/.test(rest) && (next === undefined || /\s/.test(next))
  return (bare ? address : `<${address}>`) + rest
}

/** Keeps lines of text from being taken for headings, lists, quotes, tables, rules and the like. */
export function escapeLineStarts(block: string): string {
  return block
    .replace(/^(>|\||:(?=-)|[-+](?=\s|-|$)|=(?==*$)|#{1,6}(?=\s|$))/gm, '\\$1')
    .replace(/^(\d{1,9})([.)])(?=\s|$)/gm, '$1\\$2')
}

/**
 * Markdown that was written elsewhere, where `#17` means something else or nothing: it stays text. Code keeps it as it is.
 */
export function escapeReferences(markdown: string): string {
  let fence = ''
  return markdown
    .split('\n')
    .map((line) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
      if (fence !== '') {
        if (mark?.startsWith(fence)) fence = ''
        return line
      }
      if (mark !== undefined) {
        fence = mark
        return line
      }
      return /^(?: {4}|\t)/.test(line)
        ? line
        : line.replace(reference, (found) => (found === '#' ? '\\#' : found))
    })
    .join('\n')
}

// Code spans are passed over.
const reference = new RegExp(`(\`+)(?:(?!\\1)[^])*\\1|(?<=^|[${beforeReference}])#(?=[1-9])`, 'gu')
