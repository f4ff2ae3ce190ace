/** Which sessions word of a user concerns, so that it goes to those and not through all sockets. */
export interface Watch<Session> {
  /** It is being looked up who this is: word of anyone may concern it. */
  unsure(session: Session): void
  /** It is this user now, or nobody. */
  known(session: Session, userId: string | undefined): void
  forget(session: Session): void
  concerned(userId: string): Session[]
  /** All who are somebody. */
  signedIn(): Session[]
}

export function createWatch<Session>(): Watch<Session> {
  const unsure = new Set<Session>()
  const users = new Map<Session, string>()
  const sessions = new Map<string, Set<Session>>()

  function forget(session: Session): void {
    unsure.delete(session)
    const user = users.get(session)
    if (user === undefined) return
    users.delete(session)
    const others = sessions.get(user)!
    others.delete(session)
    if (others.size === 0) sessions.delete(user)
  }

  return {
    unsure(session) {
      forget(session)
      unsure.add(session)
    },
    known(session, userId) {
      forget(session)
      if (userId === undefined) return
      users.set(session, userId)
      const all = sessions.get(userId) ?? new Set()
      sessions.set(userId, all.add(session))
    },
    forget,
    concerned: (userId) => [...(sessions.get(userId) ?? []), ...unsure],
    signedIn: () => [...users.keys()],
  }
}
