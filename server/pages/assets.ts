import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The client's files as a page refers to them: paths from the server's root. */
export interface Assets {
  readonly scripts: readonly string[]
  readonly styles: readonly string[]
}

interface Chunk {
  file: string
  css?: string[]
}

/** Reads which files the client was built into. Throws when `clientDir` holds no build. */
export async function readManifest(clientDir: string): Promise<Assets> {
  const text = await readFile(join(clientDir, '.vite/manifest.json'), 'utf8')
  const chunks = JSON.parse(text) as Record<string, Chunk | undefined>
  const main = chunks['app/main.ts']
  const styles = chunks['app/main.css']
  if (main === undefined || styles === undefined)
    throw new Error(`${clientDir} holds no complete build of the client`)
  return { scripts: [`/${main.file}`], styles: [styles.file, ...(main.css ?? [])].map((file) => `/${file}`) }
}

/** The files as Vite's development server serves them at `url`. */
export function devAssets(url: string): Assets {
  return { scripts: [`${url}/@vite/client`, `${url}/app/main.ts`], styles: [`${url}/app/main.css`] }
}
