import { expect, test } from 'vitest'
import { authorize, can, roles, type Action, type Actor, type Subject } from '../../server/threads/access.ts'
import { Problem } from '../../shared/errors.ts'

const own = 'me'
const actor = (role: Actor['role']): Actor => ({
  id: own,
  name: 'Me',
  kind: role === 'guest' ? 'guest' : 'person',
  role,
})
const mine: Subject = { authorId: own }
const others: Subject = { authorId: 'another' }

/** What is answered to each: yes, or the code of the problem. Guest, member, moderator, admin. */
const rules: [
  action: Action,
  subject: Subject,
  guest: string,
  member: string,
  moderator: string,
  admin: string,
][] = [
  ['create-thread', {}, 'yes', 'yes', 'yes', 'yes'],
  ['preview', {}, 'yes', 'yes', 'yes', 'yes'],
  ['reply', others, 'yes', 'yes', 'yes', 'yes'],
  ['reply', { ...others, locked: true }, 'thread-locked', 'thread-locked', 'yes', 'yes'],
  ['react', others, 'yes', 'yes', 'yes', 'yes'],
  ['react', { ...mine, locked: true }, 'thread-locked', 'thread-locked', 'yes', 'yes'],
  ['type', others, 'yes', 'yes', 'yes', 'yes'],
  ['type', { locked: true }, 'thread-locked', 'thread-locked', 'yes', 'yes'],
  ['edit-post', mine, 'yes', 'yes', 'yes', 'yes'],
  ['edit-post', others, 'forbidden', 'forbidden', 'yes', 'yes'],
  ['edit-post', {}, 'forbidden', 'forbidden', 'yes', 'yes'],
  ['edit-post', { ...mine, locked: true }, 'thread-locked', 'thread-locked', 'yes', 'yes'],
  // Whether the thread is locked matters to nobody who may not edit anyway.
  ['edit-post', { ...others, locked: true }, 'forbidden', 'forbidden', 'yes', 'yes'],
  ['delete-post', mine, 'yes', 'yes', 'yes', 'yes'],
  ['delete-post', others, 'forbidden', 'forbidden', 'yes', 'yes'],
  ['delete-post', { ...mine, locked: true }, 'thread-locked', 'thread-locked', 'yes', 'yes'],
  ['change-thread', mine, 'forbidden', 'forbidden', 'yes', 'yes'],
  ['manage-accounts', {}, 'forbidden', 'forbidden', 'forbidden', 'yes'],
  ['manage-ai', {}, 'forbidden', 'forbidden', 'forbidden', 'yes'],
  ['manage-sites', {}, 'forbidden', 'forbidden', 'forbidden', 'yes'],
]

function answerTo(who: Actor | null, action: Action, subject: Subject): string {
  try {
    expect(authorize(who, action, subject)).toBe(who)
    return 'yes'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return error.code
  }
}

test.each(rules)('%s of %j', (action, subject, ...expected) => {
  expect(roles.map((role) => answerTo(actor(role), action, subject))).toEqual(expected)
  expect(roles.map((role) => can(actor(role), action, subject))).toEqual(
    expected.map((each) => each === 'yes'),
  )
  expect(answerTo(null, action, subject)).toBe('sign-in-required')
  expect(can(null, action, subject)).toBe(false)
})
