import fs from 'node:fs'
import path from 'node:path'
import { Script } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

/** Bytes that a reader's browser may have to load for a widget, compressed as servers do. */
const budget = {
  /** The script in the host page. */
  loader: 2_048,
  /** The other one, for pages with counts only. */
  counts: 1_024,
  /** All that a frame loads before somebody does something in it. */
  frameScripts: 25 * 1024,
  frameStyles: 6_000,
}

const built = path.resolve(import.meta.dirname, '../../dist/public')
const read = (file: string) => fs.readFileSync(path.join(built, file), 'utf8')
const sizeOf = (files: Iterable<string>) =>
  [...files].reduce((bytes, file) => bytes + gzipSync(read(file)).length, 0)

interface Chunk {
  file: string
  imports?: string[]
  css?: string[]
}
const chunks = () => JSON.parse(read('.vite/manifest.json')) as Record<string, Chunk | undefined>

/** The files of an entry and of all that it imports at once. */
function filesOf(entry: string, of: (chunk: Chunk) => string[]): Set<string> {
  const all = chunks()
  const files = new Set<string>()
  const seen = new Set<string>()
  const add = (name: string) => {
    const chunk = all[name]
    if (chunk === undefined) throw new Error(`the build has no ${name}: run npm run build`)
    if (seen.has(name)) return
    seen.add(name)
    for (const file of of(chunk)) files.add(file)
    for (const imported of chunk.imports ?? []) add(imported)
  }
  add(entry)
  return files
}

test.each([
  ['embed.js', budget.loader],
  ['embed-count.js', budget.counts],
])('%s is one classic script of at most %d bytes', (file, most) => {
  const script = read(file)
  expect(sizeOf([file])).toBeLessThanOrEqual(most)
  // A classic script cannot hold `import` and `export` declarations; nor does it load anything more.
  expect(() => new Script(script)).not.toThrow()
  expect(script).not.toMatch(/\bimport\s*\(|localStorage|sessionStorage|indexedDB|\.cookie\b/)
})

test('a frame loads little before somebody does something in it', () => {
  const scripts = filesOf('embed/frame/frame.tsx', ({ file }) => [file])
  const styles = filesOf('embed/frame/frame.css', ({ file }) => [file])
  for (const style of filesOf('embed/frame/frame.tsx', ({ css = [] }) => css)) styles.add(style)
  expect([...scripts].every((file) => file.endsWith('.js'))).toBe(true)
  expect([...styles].every((file) => file.endsWith('.css'))).toBe(true)
  expect(sizeOf(scripts)).toBeLessThanOrEqual(budget.frameScripts)
  expect(sizeOf(styles)).toBeLessThanOrEqual(budget.frameStyles)
})
