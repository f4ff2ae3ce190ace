import type { AiUsage } from '../../shared/persona-admin.ts'
import { day, grouped, threadPath } from './format.ts'

/** What AI replies took today, and who and what took most of it. */
export function Usage({ usage }: { usage: AiUsage }) {
  const { allowed, site, threads, people } = usage
  const taken = site.spent + site.reserved
  return (
    <>
      <p>
        {allowed === null
          ? `${tokens(site.spent)} tokens on ${day(usage.day)} (UTC). Nothing is limited.`
          : `${tokens(site.spent)} of ${tokens(allowed.site)} tokens on ${day(usage.day)} (UTC).`}
        {site.reserved > 0 &&
          ` ${tokens(site.reserved)} more are set aside for replies that are being written.`}
      </p>
      {allowed !== null && (
        <>
          <progress
            class="usage-bar"
            max={Math.max(allowed.site, 1)}
            value={Math.min(taken, allowed.site)}
            aria-label="Tokens of the site today"
          >
            {tokens(taken)}
          </progress>
          <p class="note">
            A thread may take {tokens(allowed.thread)} in a day, a person {tokens(allowed.person)}, a guest{' '}
            {tokens(allowed.guest)}.
          </p>
        </>
      )}
      {threads.length === 0 && people.length === 0 && <p class="note">Nobody has asked an AI today.</p>}
      <div class="usage-tables">
        <Most
          caption="Threads"
          rows={threads.map(({ id, title, ...count }) => ({
            ...count,
            key: id,
            what: <a href={threadPath(id)}>{title}</a>,
          }))}
        />
        <Most
          caption="People"
          rows={people.map(({ id, name, kind, ...count }) => ({
            ...count,
            key: id,
            what: (
              <>
                <bdi>{name}</bdi>
                {kind !== 'person' && <span class="note"> {kind === 'ai' ? 'AI' : 'guest'}</span>}
              </>
            ),
          }))}
        />
      </div>
    </>
  )
}

interface Row {
  key: string
  what: preact.ComponentChildren
  spent: number
  reserved: number
}

function Most({ caption, rows }: { caption: string; rows: Row[] }) {
  if (rows.length === 0) return null
  return (
    <table class="usage-table">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Which</th>
          <th scope="col">Spent</th>
          <th scope="col">Set aside</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, what, spent, reserved }) => (
          <tr key={key}>
            <th scope="row">{what}</th>
            <td>{tokens(spent)}</td>
            <td>{tokens(reserved)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const tokens = (n: number) => grouped(n)
