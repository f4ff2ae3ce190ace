import { ago, day, moment } from './format.ts'

/** A moment. Without `now` it is a date that stays true for as long as the page is cached. */
export function Time({ at, now }: { at: string; now?: number | undefined }) {
  return (
    <time dateTime={at} title={moment(at)}>
      {now === undefined ? day(at) : ago(at, now)}
    </time>
  )
}
