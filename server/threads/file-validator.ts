import { invalidAt, type FileAuthor, type FileHeader, type FilePost, type FileRecord } from './file-format.ts'

/** Checks what no line tells by itself: that the records of a file belong together. */
export interface FileValidator {
  /** Takes the next record of the file, in order, none left out. Problems: invalid. */
  accept(record: FileRecord): void
  /** To be called after the last record: tells whether the file is whole. Problems: invalid. */
  finish(): void
}

/** A validator for one file. It remembers the ids of authors and the numbers of posts, and no text. */
export function createFileValidator(): FileValidator {
  let line = 0
  let expected: number | undefined
  let count = 0
  let last = 0
  const authors = new Set<string>()
  const posts = new Set<number>()
  const deleted = new Set<number>()

  return {
    accept(record) {
      line++
      if ('format' in record) acceptHeader(record)
      else if (expected === undefined) fail('', 'comes before the header, which must be the first line')
      else if ('author' in record) acceptAuthor(record.author)
      else acceptPost(record.post, expected)
    },
    finish() {
      line++
      if (expected === undefined) fail('', 'the file ends before its header')
      if (count < expected) fail('', `the file ends after ${count} of ${expected} posts`)
    },
  }

  function acceptHeader({ posts }: FileHeader) {
    if (line > 1) fail('format', 'is a second header')
    expected = posts
  }

  function acceptAuthor({ id }: FileAuthor) {
    if (authors.has(id)) fail('author.id', `${id} was defined before`)
    authors.add(id)
  }

  function acceptPost(post: FilePost, expected: number) {
    if (count === expected) fail('post', `is one more than the ${expected} posts of the header`)
    checkPlace(post)
    if (post.state === 'deleted') deleted.add(post.number)
    else checkContent(post)
    posts.add(post.number)
    last = post.number
    count++
  }

  function checkPlace({ number, parent, author }: FilePost) {
    if (posts.has(number)) fail('post.number', `${number} was used before`)
    if (number < last)
      fail('post.number', `${number} comes after ${last}: posts stand in the order of their numbers`)
    if (count === 0 && number !== 1) fail('post.number', `the first post has number 1, not ${number}`)
    if (count === 0 && parent !== null)
      fail('post.parent', 'the first post is the root, whose parent is null')
    if (count > 0 && parent === null) fail('post.parent', 'only the first post may be without a parent')
    if (parent !== null && !posts.has(parent))
      fail('post.parent', `there is no post ${parent} before this one`)
    checkAuthor('post.author', author)
  }

  function checkContent({ quote, reactions }: Exclude<FilePost, { state: 'deleted' }>) {
    if (quote && !posts.has(quote.number))
      fail('post.quote.number', `there is no post ${quote.number} before this one`)
    if (quote && quote.text !== null && deleted.has(quote.number)) {
      fail('post.quote.text', `post ${quote.number} was deleted, so no text of it is left to quote`)
    }
    const seen = new Set<string>()
    for (const [index, { emoji, by }] of (reactions ?? []).entries()) {
      const path = `post.reactions.${index}`
      if (seen.has(emoji)) fail(`${path}.emoji`, `${emoji} is listed twice`)
      seen.add(emoji)
      if (new Set(by).size < by.length) fail(`${path}.by`, 'names an author twice')
      for (const id of by) checkAuthor(`${path}.by`, id)
    }
  }

  function checkAuthor(path: string, id: string) {
    if (!authors.has(id)) fail(path, `${id} is not defined on a line before`)
  }

  function fail(path: string, message: string): never {
    throw invalidAt(line, path, message)
  }
}
