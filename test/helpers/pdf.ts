import zlib from 'node:zlib'

/** One object of a PDF: a dictionary or other value, with a stream after it where there are bytes. */
export interface PdfObject {
  readonly value: string
  readonly stream?: Uint8Array
}

/** A PDF of these objects, numbered from 1; the first is the catalogue. `trailer` goes into its trailer. */
export function pdfOf(objects: readonly PdfObject[], trailer = ''): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')]
  const offsets: number[] = []
  let length = parts[0]!.length
  const add = (bytes: Uint8Array | string) => {
    const part = Buffer.from(bytes as string)
    parts.push(part)
    length += part.length
  }
  objects.forEach(({ value, stream }, index) => {
    offsets.push(length)
    add(`${index + 1} 0 obj\n`)
    if (stream) {
      add(value.replace(/>>$/, ` /Length ${stream.byteLength} >>\nstream\n`))
      add(stream)
      add('\nendstream')
    } else add(value)
    add('\nendobj\n')
  })
  const start = length
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`)
  const size = objects.length + 1
  add(`xref\n0 ${size}\n0000000000 65535 f \n${rows.join('')}`)
  add(`trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`)
  return new Uint8Array(Buffer.concat(parts))
}

/** A PDF whose pages show what these content streams say, with Helvetica as `/F1`. */
export function pdfOfPages(
  contents: readonly (string | PdfObject)[],
  more: { title?: string; trailer?: string; resources?: string; objects?: readonly PdfObject[] } = {},
): Uint8Array<ArrayBuffer> {
  const { title, trailer = '', resources = '', objects = [] } = more
  // Catalogue, tree of pages, font, information; then what the caller adds, then page and content in turns.
  const first = 5 + objects.length
  const pages = contents.flatMap((content, index): PdfObject[] => [
    {
      value: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${first + 2 * index + 1} 0 R
        /Resources << /Font << /F1 3 0 R >> ${resources} >> >>`,
    },
    typeof content === 'string' ? { value: '<< >>', stream: Buffer.from(content, 'latin1') } : content,
  ])
  const kids = contents.map((_content, index) => `${first + 2 * index} 0 R`).join(' ')
  return pdfOf(
    [
      { value: '<< /Type /Catalog /Pages 2 0 R >>' },
      { value: `<< /Type /Pages /Kids [${kids}] /Count ${contents.length} >>` },
      { value: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>' },
      { value: `<< ${title === undefined ? '' : `/Title (${title})`} >>` },
      ...objects,
      ...pages,
    ],
    `/Info 4 0 R ${trailer}`,
  )
}

/** What shows `paragraphs`, each a list of lines, from the top of a page. */
export function pdfText(paragraphs: readonly (readonly string[])[]): string {
  let y = 740
  const shown = paragraphs.map((lines) => {
    const text = lines.map((line) => {
      y -= 14
      return `1 0 0 1 72 ${y} Tm (${line.replace(/[()\\]/g, '\\$&')}) Tj`
    })
    y -= 16
    return text.join('\n')
  })
  return `BT /F1 12 Tf\n${shown.join('\n')}\nET`
}

/** `length` bytes of white space, compressed: a thousandth of it or less. */
export function deflatedSpaces(length: number): PdfObject {
  return {
    value: '<< /Filter /FlateDecode >>',
    stream: zlib.deflateSync(Buffer.alloc(length, ' '), { level: 9 }),
  }
}
