import fs from 'node:fs'
import { once } from 'node:events'
import readline from 'node:readline'
import type { Writable } from 'node:stream'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { ensureLinks } from '../links/link-rows.ts'
import { exportThread } from '../threads/export.ts'
import { importThread } from '../threads/import.ts'
import { createRenderer } from '../threads/render.ts'
import { openStore } from './open.ts'

/** `import FILE`: a thread from a file, `-` for standard input. Prints the new thread's id. */
export async function importCommand(config: Config, log: Logger, file: string): Promise<void> {
  const { db, close } = await openStore(config, log)
  try {
    const thread = await importThread(
      {
        db,
        render: createRenderer({ publicUrl: publicUrlOf(config) }),
        ensureLinks: linkIds,
        onProgress: progress('imported'),
      },
      linesOf(file),
    )
    process.stdout.write(`${thread}\n`)
  } finally {
    await close()
  }
}

/** `export THREAD [FILE]`: a thread to a file, or to standard output. */
export async function exportCommand(
  config: Config,
  log: Logger,
  thread: string,
  file?: string,
): Promise<void> {
  const { db, close } = await openStore(config, log)
  try {
    // Under another name until it is whole: a file that is there can be trusted.
    const draft = file === undefined ? undefined : `${file}.part`
    const output: Writable = draft === undefined ? process.stdout : fs.createWriteStream(draft)
    await exportThread(
      {
        db,
        write: async (line) => {
          if (!output.write(line)) await once(output, 'drain')
        },
        onProgress: progress('exported'),
      },
      thread,
    )
    if (draft !== undefined) {
      output.end()
      await once(output, 'close')
      fs.renameSync(draft, file!)
    }
  } finally {
    await close()
  }
}

export async function linkIds(...[tx, urls]: Parameters<typeof ensureLinks>): Promise<string[]> {
  return (await ensureLinks(tx, urls)).map(({ id }) => id)
}

/**
 * The lines of a file, or with `-` of standard input. It is opened when the first line is asked for: what is read before
 * anyone listens would be lost.
 */
export async function* linesOf(file: string): AsyncGenerator<string, void, void> {
  const input = file === '-' ? process.stdin : (await fs.promises.open(file)).createReadStream()
  yield* readline.createInterface({ input, crlfDelay: Infinity })
}

/** The origin that links to this site's own posts are known by. */
export function publicUrlOf(config: Config): string {
  return config.publicUrl ?? `http://localhost:${config.port}`
}

/** Standard error, so that what is exported to standard output stays clean. */
function progress(verb: string) {
  return (done: number, total: number) => void process.stderr.write(`${verb} ${done} of ${total} posts\n`)
}
