import { randomInt } from 'node:crypto'
import { APIError } from 'better-auth/api'
import { displayName } from '../../shared/http.ts'
import { limits } from '../../shared/limits.ts'

// Guests who give no name get one that others can tell apart and speak of.
// prettier-ignore
const birds = [
  'Avocet', 'Bittern', 'Bluetit', 'Bunting', 'Crane', 'Cuckoo', 'Curlew', 'Dipper', 'Dunlin', 'Egret', 'Finch', 'Gannet',
  'Godwit', 'Grebe', 'Heron', 'Hoopoe', 'Jay', 'Kestrel', 'Kingfisher', 'Lapwing', 'Linnet', 'Martin', 'Nightjar', 'Oriole',
  'Osprey', 'Petrel', 'Plover', 'Puffin', 'Quail', 'Robin', 'Sandpiper', 'Shrike', 'Siskin', 'Skylark', 'Starling', 'Swift',
  'Tern', 'Thrush', 'Wagtail', 'Warbler', 'Wren', 'Yellowhammer',
]

export function guestName(): string {
  return `Guest ${birds[randomInt(birds.length)]}`
}

/**
 * A display name as it is stored: one line, in Unicode's composed form, without control and bidirectional characters.
 * Names need not be unique, but for those of AI participants (see `isPersonaName`); an author's kind tells guests from
 * members. Throws 422 `invalid`.
 */
export function checkedName(value: unknown): string {
  const name = displayName.safeParse(typeof value === 'string' ? value.normalize('NFC') : value)
  if (!name.success) throw invalid('name', `must be one line of 1 to ${limits.nameMax} characters`)
  return name.data
}

/**
 * A name as one hears it: in what looks alike, small letters, without whatever is neither letter nor digit. So nobody is
 * `Check` by another way of writing it.
 */
export function soundOf(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}

/** Who signed in with a name that cannot be theirs. */
export const nameless = 'Member'

/** The name that a sign-in provider gave, made to fit: whoever signs in there cannot correct it before. */
export function fittedName(value: unknown): string {
  const text = typeof value === 'string' ? value.normalize('NFC').slice(0, limits.nameMax) : ''
  const name = displayName.safeParse(text)
  return name.success ? name.data : nameless
}

/** The auth library's way to refuse input; it answers as the problem `invalid`. */
export function invalid(path: string, message: string): APIError {
  return new APIError('UNPROCESSABLE_ENTITY', { code: 'INVALID', message, issues: [{ path, message }] })
}
