import fs from 'node:fs'
import path from 'node:path'
import { Problem } from '../shared/errors.ts'
import { exportCommand, importCommand } from './commands/transfer.ts'
import { claimLinkCommand, importCommentsCommand } from './commands/import-comments.ts'
import { importOptions } from './commands/import-options.ts'
import { openStore } from './commands/open.ts'
import { serve } from './commands/serve.ts'
import { ConfigError, readConfig } from './config.ts'
import { createLog } from './log.ts'
import { DataDirInUse } from './store/data-dir.ts'

const usage = `usage: numinex [serve]             run the server (the default)
       numinex migrate            bring the database to this version
       numinex import FILE        read a thread from a file (- for standard input)
       numinex import FILE --from disqus|remark42|isso|giscus|wordpress|hackernews
                      [--site ID] [--base ADDRESS] [--report FILE]
                                  move in with the comments of another system (docs/moving-in.md)
       numinex claim-link SYSTEM AUTHOR
                                  print a link by which that author can claim imported comments
       numinex export THREAD [FILE]   write a thread to a file, or to standard output
`

async function main([command = 'serve', ...args]: string[]): Promise<void> {
  try {
    const config = readConfig(process.env)
    switch (command) {
      case 'serve':
        return await run()
      case 'migrate':
        return await (await openStore(config, createLog('info'))).close()
      case 'import': {
        const asked = importOptions(args)
        if (asked === undefined) return misused()
        const log = createLog('warn')
        if ('from' in asked) return await importCommentsCommand(config, log, asked.file, asked)
        return await importCommand(config, log, asked.file)
      }
      case 'claim-link':
        if (args.length !== 2) return misused()
        return await claimLinkCommand(config, createLog('warn'), args[0]!, args[1]!)
      case 'export':
        if (args.length < 1 || args.length > 2) return misused()
        return await exportCommand(config, createLog('warn'), args[0]!, args[1])
      default:
        return misused()
    }

    async function run(): Promise<void> {
      const log = createLog(config.logLevel)
      const running = await serve(config, log, readVersion())
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.once(signal, () => {
          log.info({ signal }, 'stopping')
          running.stop().then(
            () => process.exit(0),
            (error: unknown) => {
              log.fatal({ err: error }, 'did not stop cleanly')
              process.exit(1)
            },
          )
        })
      }
    }
  } catch (error) {
    fail(error)
  }
}

/** Of files, of the network, and of Postgres: who signs in to which database. */
const plainCodes: ReadonlySet<string> = new Set(
  (
    'ENOENT EACCES EPERM EEXIST ENOTDIR EROFS EADDRINUSE EADDRNOTAVAIL ENOTFOUND ECONNREFUSED ' +
    '28000 28P01 3D000'
  ).split(' '),
)

/** What a person can mend is said in plain words; anything else with its stack. */
function fail(error: unknown): void {
  const plain =
    error instanceof ConfigError ||
    error instanceof DataDirInUse ||
    error instanceof Problem ||
    plainCodes.has((error as NodeJS.ErrnoException).code ?? '')
  process.stderr.write(`${plain ? messageOf(error as Error) : (error as Error).stack}\n`)
  // Connections that are open by now would keep a server alive that serves nobody.
  process.exit(1)
}

/** A name with several addresses fails with an error for each. */
function messageOf(error: Error): string {
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error]
  return errors.map(({ message }) => message).join('; ')
}

function misused(): void {
  process.stderr.write(usage)
  process.exitCode = 2
}

/** The version in the package.json that this file belongs to, above the sources or above `dist`. */
function readVersion(): string {
  for (let dir = import.meta.dirname; dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json')
    if (fs.existsSync(file)) return (JSON.parse(fs.readFileSync(file, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}

await main(process.argv.slice(2))
