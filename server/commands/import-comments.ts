import type { Logger } from 'pino'
import { Problem } from '../../shared/errors.ts'
import { createMemoryBus } from '../bus/memory.ts'
import type { Config } from '../config.ts'
import { createSites, type StoredSite } from '../embedding/sites.ts'
import { claimLink } from '../http/claims.ts'
import { readDisqus } from '../importing/disqus.ts'
import { readGiscus } from '../importing/giscus.ts'
import { readHackerNews } from '../importing/hackernews.ts'
import { importComments } from '../importing/import-comments.ts'
import { textOf } from '../importing/input.ts'
import { readIsso } from '../importing/isso.ts'
import type { SourceRecord } from '../importing/records.ts'
import { readRemark42 } from '../importing/remark42.ts'
import { createReport, entryLine, openReportFile, summary } from '../importing/report.ts'
import { originOf, sitePages } from '../importing/site-pages.ts'
import { readWordPress } from '../importing/wordpress.ts'
import { createRenderer } from '../threads/render.ts'
import { createTogether } from '../threads/together.ts'
import type { ThreadParts } from '../threads/parts.ts'
import type { ImportOptions, System } from './import-options.ts'
import { openStore } from './open.ts'
import { linkIds, publicUrlOf } from './transfer.ts'

/**
 * `import FILE --from SYSTEM`: the comments of another system. What is left out is told on standard error as it is met, and
 * what was done on standard output.
 */
export async function importCommentsCommand(
  config: Config,
  log: Logger,
  file: string,
  options: ImportOptions,
): Promise<void> {
  const { db, close } = await openStore(config, log)
  try {
    const publicUrl = publicUrlOf(config)
    const sites = createSites({ db })
    const site = options.site === undefined ? undefined : await findSite(sites, options.site)
    const base = baseOf(options.base ?? (site && originOf(site)))
    const render = createRenderer({ publicUrl })
    const links: ThreadParts['links'] = {
      request: (urls) => db.transaction().execute((tx) => linkIds(tx, urls)),
    }
    // Nobody listens to this process: nodes that run find what is new when they compare heads.
    const bus = createMemoryBus()
    const together = createTogether({ db, bus })
    const parts = { db, bus, together, render, links, log, sites, publicUrl }
    const saved = options.report === undefined ? undefined : openReportFile(options.report)
    const report = createReport((entry) => {
      process.stderr.write(`${entryLine(entry)}\n`)
      saved?.write(entry)
    })
    const source = site === undefined ? options.from : `${options.from}@${site.id}`
    const openPage = site && sitePages(parts, site)
    const { signal, release } = stopSignal()
    const outcome = await importComments(
      { db, render, ensureLinks: linkIds, report, openPage, onProgress, signal },
      { source, base },
      recordsOf(options.from, file, base),
    ).then(
      () => undefined,
      (error: unknown) => error,
    )
    release()
    await saved?.end({
      source,
      counts: report.counts,
      ...(outcome !== undefined && { error: outcome instanceof Error ? outcome.message : 'failed' }),
    })
    process.stdout.write(summary(report.counts))
    if (outcome instanceof Problem && !signal.aborted) throw kept(outcome)
    if (outcome !== undefined) throw outcome
  } finally {
    await close()
  }
}

/** `claim-link SYSTEM AUTHOR`: prints a link by which an author makes imported comments their own. */
export async function claimLinkCommand(
  config: Config,
  log: Logger,
  source: string,
  author: string,
): Promise<void> {
  const { db, close } = await openStore(config, log)
  try {
    const { name, posts, url, expiresAt } = await claimLink(
      { db, publicUrl: publicUrlOf(config) },
      source,
      author,
    )
    process.stderr.write(`${posts} posts by ${name}; the link works once, until ${expiresAt}\n`)
    process.stdout.write(`${url}\n`)
  } finally {
    await close()
  }
}

function recordsOf(from: System, file: string, base: string | undefined): AsyncIterable<SourceRecord> {
  switch (from) {
    case 'disqus':
      return readDisqus(textOf(file))
    case 'remark42':
      return readRemark42(textOf(file))
    case 'giscus':
      return readGiscus(textOf(file))
    case 'wordpress':
      return readWordPress(textOf(file))
    case 'hackernews':
      return readHackerNews(textOf(file))
    case 'isso':
      if (base === undefined)
        throw new Problem('invalid', {
          detail:
            'Isso knows pages by their paths only: say where they are, as in --base https://blog.example',
        })
      return readIsso(file, base)
  }
}

async function findSite(sites: ReturnType<typeof createSites>, id: string): Promise<StoredSite> {
  const site = await sites.find(id)
  if (site === undefined) throw new Problem('site-not-found', { detail: `There is no site ${id}.` })
  return site
}

function baseOf(base: string | undefined): string | undefined {
  if (base === undefined) return undefined
  if (!/^https?:\/\//.test(base) || !URL.canParse(base))
    throw new Problem('invalid', { detail: `--base ${base} is not an address such as https://blog.example` })
  return new URL(base).origin
}

/** What a person or a supervisor says to end the import: it lets go of its files and of the database. */
function stopSignal(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const stop = () =>
    controller.abort(
      new Problem('unavailable', { detail: 'Stopped. Run it again, and it goes on from here.' }),
    )
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.once(name, stop)
  return {
    signal: controller.signal,
    release: () => signals.forEach((name) => process.removeListener(name, stop)),
  }
}

function kept(problem: Problem): Problem {
  const detail = `${problem.message}\nWhat was whole before has been imported.`
  return new Problem(problem.code, { detail, cause: problem })
}

function onProgress(done: { read: number } | { written: number }): void {
  process.stderr.write('read' in done ? `read ${done.read} records\n` : `imported ${done.written} posts\n`)
}
