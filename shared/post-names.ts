// How posts are named, without the schemas: what reads texts in a browser is spared those.

/** Ids of threads: ten characters of base 58 (no 0, O, I, l). */
export const threadIdPattern = /^[1-9A-HJ-NP-Za-km-z]{10}$/

/** Numbers of posts go from 1 to this. */
export const lastPostNumber = 2 ** 31 - 1
