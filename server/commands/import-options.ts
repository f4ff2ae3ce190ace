import { parseArgs } from 'node:util'

/** Systems whose comments can be imported. */
const systems = ['disqus', 'remark42', 'isso', 'giscus', 'wordpress', 'hackernews'] as const
export type System = (typeof systems)[number]

export interface ImportOptions {
  from: System
  /** The site whose pages the comments are on; without it threads stand for themselves. */
  site?: string | undefined
  /** The address that paths of pages start from. */
  base?: string | undefined
  /** A file to write the report to. */
  report?: string | undefined
}

/** What `import` is asked to do: with a file alone, to read a thread. Undefined where it cannot be understood. */
export function importOptions(args: string[]): ({ file: string } & (ImportOptions | object)) | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        site: { type: 'string' },
        base: { type: 'string' },
        report: { type: 'string' },
      },
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) return undefined
    const { from, ...rest } = values
    if (from === undefined) return Object.keys(rest).length === 0 ? { file } : undefined
    const system = systems.find((each) => each === from)
    return system && { file, from: system, ...rest }
  } catch {
    return undefined
  }
}
