import type { ComponentChildren } from 'preact'
import type { Manifest, ManifestDocument, ManifestPiece, PieceReason, RunReport } from '../../shared/run.ts'
import { duration, price } from './figures.ts'
import { count, grouped, postPath, safeHref, siteOf } from './format.ts'

type PostPiece = Extract<ManifestPiece, { kind: 'post' }>
type SectionPiece = Extract<ManifestPiece, { kind: 'section' }>

const reasons: Record<PieceReason, string> = {
  asked: 'the post that it was asked about',
  ancestor: 'further up the branch',
  quoted: 'quoted there',
  embedded: 'shown there as a card',
  new: 'new to the asker',
  sibling: 'another reply nearby',
  article: 'the linked page',
}

/** How an AI reply came about: opened beneath it, and fetched then. */
export function ReportPanel(props: { thread: string; number: number; run?: RunReport; problem?: string }) {
  const { thread, number, run, problem } = props
  return (
    <section class="run-report" aria-label={`What the AI read for #${number}`} aria-busy={run === undefined}>
      {problem !== undefined ? (
        <p class="problem" role="alert">
          {problem}
        </p>
      ) : run === undefined ? (
        <p class="note">One moment…</p>
      ) : (
        <Report thread={thread} run={run} />
      )}
    </section>
  )
}

interface ReportProps {
  /** The thread that the reader is in. */
  thread: string
  run: RunReport
}

function Report({ thread, run }: ReportProps) {
  return (
    <>
      <WhatWasRead thread={thread} run={run} />
      <Facts run={run} />
      {run.reasoning !== null && run.reasoning !== '' && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <p class="reasoning-text" dir="auto">
            {run.reasoning}
          </p>
        </details>
      )}
    </>
  )
}

function WhatWasRead({ thread, run: { manifest, external } }: ReportProps) {
  if (external) return <p>It is run elsewhere, by who has its key. What it read is not known here.</p>
  if (manifest === null) return <p>It ended before it had read anything.</p>
  const posts = manifest.pieces.filter((piece) => piece.kind === 'post')
  return (
    <>
      <p>{summary(manifest)}</p>
      {posts.length > 0 && (
        <>
          <h4>Posts</h4>
          <ul>
            {posts.map((piece) => (
              <ReadPost piece={piece} here={thread} />
            ))}
          </ul>
        </>
      )}
      {manifest.documents.length > 0 && (
        <>
          <h4>Linked pages</h4>
          {manifest.documents.map((one) => (
            <ReadDocument document={one} pieces={manifest.pieces} />
          ))}
        </>
      )}
    </>
  )
}

/** How much was read in all, and how much was not. Sizes in tokens are always estimates here. */
function summary({ pieces, leftOut, tokens, budget }: Manifest): string {
  const posts = pieces.filter(({ kind }) => kind === 'post').length
  const cut = pieces.filter((piece) => piece.cut).length
  const read = [
    ...(posts > 0 ? [count(posts, 'post')] : []),
    ...(pieces.length > posts ? [`${count(pieces.length - posts, 'section')} of linked pages`] : []),
  ]
  const room = `about ${count(tokens, 'token')} of the ${grouped(budget)} that there was room for`
  const missing = [
    ...(cut > 0 ? [`${cut === 1 ? 'one was' : `${grouped(cut)} were`} cut short`] : []),
    ...(leftOut > 0 ? [`${grouped(leftOut)} more found no room`] : []),
  ]
  const rest = missing.length === 0 ? 'Nothing was cut or left out.' : sentence(missing.join(', '))
  return `${sentence(`${read.join(' and ') || 'nothing'}, ${room}`)} ${rest}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function ReadPost({ piece, here }: { piece: PostPiece; here: string }) {
  const { thread, number, author, why, cut } = piece
  return (
    <li>
      <a href={postPath(thread, number)}>
        #{number}
        {thread !== here && ' of another thread'}
      </a>{' '}
      <bdi>{author}</bdi>
      <span class="why">
        {' · '}
        {reasons[why]}
        {cut && ', cut short'}
      </span>
    </li>
  )
}

function ReadDocument(props: { document: ManifestDocument; pieces: readonly ManifestPiece[] }) {
  const { document, url, title, hash, sections, problem } = props.document
  const read = props.pieces.filter(
    (piece): piece is SectionPiece => piece.kind === 'section' && piece.document === document,
  )
  return (
    <div class="read-document">
      <p>
        <a href={safeHref(url)} rel="nofollow noopener ugc" dir="auto">
          {title || url}
        </a>
        <span class="why">
          {' · '}
          {siteOf(url)}
          {problem === undefined && `, ${grouped(read.length)} of ${count(sections, 'section')}`}
          {hash !== null && <span title={`SHA-256 of its text: ${hash}`}>, as text {hash.slice(0, 8)}</span>}
        </span>
      </p>
      {problem !== undefined && <p class="note">{problem}</p>}
      {read.length > 0 && (
        <ul>
          {read.map(({ section, heading, cut }) => (
            <li>
              <span class="section-number">§{section}</span> <bdi>{heading ?? 'without a heading'}</bdi>
              {cut && <span class="why"> · cut short</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function Facts({ run }: Pick<ReportProps, 'run'>) {
  const { persona, model, offline, asker, request, usage, cost, firstTextMs, durationMs } = run
  const about = usage?.estimated === true ? 'about ' : ''
  return (
    <dl class="facts">
      <Fact name="Persona">
        {persona.name} (@{persona.handle}), version {persona.version}
      </Fact>
      {model !== '' && <Fact name="Model">{model}</Fact>}
      {offline && <Fact name="Offline">No language model: it only picks sentences from what it reads.</Fact>}
      {asker !== null && (
        <Fact name="Asked by">
          <bdi>{asker.name}</bdi>
          {request !== null && (
            <>
              : “<bdi>{request}</bdi>”
            </>
          )}
        </Fact>
      )}
      {usage !== null && (
        <Fact name="Tokens">
          {about}
          {grouped(usage.input)} read, {about}
          {grouped(usage.output)} written
        </Fact>
      )}
      {durationMs !== null && (
        <Fact name="Time">
          {duration(durationMs)}
          {firstTextMs !== null && `, the first text after ${duration(firstTextMs)}`}
        </Fact>
      )}
      {cost !== null && <Fact name="Cost">{(usage?.estimated === true ? 'about ' : '') + price(cost)}</Fact>}
    </dl>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
