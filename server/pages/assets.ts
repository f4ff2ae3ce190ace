import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The client's files as a page refers to them: paths from the server's root. */
export interface Assets {
  readonly scripts: readonly string[]
  /** What the scripts import: asked for at once, it need not be found out step by step. */
  readonly modules: readonly string[]
  readonly styles: readonly string[]
}

/** The files of both entries. */
export interface BuiltClient {
  readonly site: Assets
  /**
   * A widget's frame. `css` goes into the page itself: a frame whose styles come later is drawn without them first.
   * `tools` are the styles of what opens when a reader does something.
   */
  readonly frame: Assets & { readonly css: string; readonly tools: readonly string[] }
}

interface Chunk {
  file: string
  imports?: string[]
  css?: string[]
}

/** Reads which files the client was built into. Throws when `clientDir` holds no build. */
export async function readManifest(clientDir: string): Promise<BuiltClient> {
  const text = await readFile(join(clientDir, '.vite/manifest.json'), 'utf8')
  const chunks = JSON.parse(text) as Record<string, Chunk | undefined>
  const importsOf = (chunk: Chunk): string[] =>
    (chunk.imports ?? []).flatMap((name) => {
      const imported = chunks[name]
      return imported === undefined ? [] : [`/${imported.file}`, ...importsOf(imported)]
    })
  const files = (script: string, style: string) => {
    const main = chunks[script]
    const styles = chunks[style]
    if (main === undefined || styles === undefined)
      throw new Error(`${clientDir} holds no complete build of the client`)
    return {
      scripts: [`/${main.file}`],
      modules: [...new Set(importsOf(main))],
      styles: [styles.file, ...(main.css ?? [])].map((file) => `/${file}`),
    }
  }
  const frame = files('embed/frame/frame.tsx', 'embed/frame/frame.css')
  const { styles: tools } = files('embed/frame/frame.tsx', 'embed/frame/tools.css')
  const css = await Promise.all(frame.styles.map((file) => readFile(join(clientDir, file), 'utf8')))
  return {
    site: files('app/main.ts', 'app/main.css'),
    frame: { ...frame, styles: [], css: css.join(''), tools },
  }
}

/** The files as Vite's development server serves them at `url`. */
export function devAssets(url: string): BuiltClient {
  const files = (script: string, style: string) => ({
    scripts: [`${url}/@vite/client`, `${url}/${script}`],
    modules: [],
    styles: [`${url}/${style}`],
  })
  const frame = files('embed/frame/frame.tsx', 'embed/frame/frame.css')
  return {
    site: files('app/main.ts', 'app/main.css'),
    frame: { ...frame, css: '', tools: [`${url}/embed/frame/tools.css`] },
  }
}
