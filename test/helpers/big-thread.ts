import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createRandom, type Random } from './random.ts'

const start = Date.UTC(2026, 0, 5, 9)
const minute = 60_000
const authors = 40

// prettier-ignore
const words = (
  'the a this that every one reader text author sentence page chapter margin question answer claim reason doubt example ' +
  'note word line thread reply voice chair table window morning letter theory method measure number model proof case ' +
  'reads writes asks answers doubts shows finds keeps loses turns opens closes follows leaves takes gives means says ' +
  'slowly often never always once again perhaps plainly well badly early late and or but because while when where so ' +
  'of in on at by with without against between after before under over through about only even still yet'
).split(' ')

/**
 * A thread as a file's lines: `count` posts, the deepest of them `depth` levels below the root, of the sizes and kinds that
 * a long discussion has. The same for the same arguments.
 */
export function* bigThread(count: number, depth: number, seed = 1): Generator<string> {
  const random = createRandom(seed)
  const line = (value: unknown) => `${JSON.stringify(value)}\n`
  const timeOf = (number: number) => new Date(start + number * minute).toISOString()
  yield line({
    format: 'numinex-thread',
    version: 1,
    thread: { title: `A long discussion of ${count} posts`, createdAt: timeOf(0) },
    posts: count,
  })
  for (let i = 0; i < authors; i++) {
    const kind = i % 5 === 4 ? 'ai' : i % 3 === 2 ? 'guest' : 'person'
    yield line({ author: { id: `big-${i}`, name: `Reader ${i}`, kind } })
  }
  const depths: number[] = []
  const openings: string[] = []
  for (let number = 1; number <= count; number++) {
    const parent = number === 1 ? null : chooseParent(random, depths, depth)
    depths.push(parent === null ? 0 : depths[parent - 1]! + 1)
    const body = writeBody(random)
    openings.push(/[a-z]+(?: [a-z]+){2}/.exec(body)![0])
    const quotes = parent !== null && random.chance(0.15)
    yield line({
      post: {
        number,
        parent,
        author: `big-${random.int(authors)}`,
        createdAt: timeOf(number),
        body,
        ...(quotes && { quote: { number: parent, text: openings[parent - 1] } }),
        ...(random.chance(0.3) && { reactions: [{ emoji: '👍', by: [`big-${random.int(authors)}`] }] }),
      },
    })
  }
}

/** First a chain down to the greatest depth; then mostly beneath what is new, and now and then anywhere. */
function chooseParent(random: Random, depths: readonly number[], depth: number): number {
  if (depths.length <= depth) return depths.length
  for (;;) {
    const back = random.chance(0.6)
      ? Math.min(depths.length, 1 + random.int(30))
      : 1 + random.int(depths.length)
    const parent = random.chance(0.05) ? 1 : depths.length - back + 1
    if (depths[parent - 1]! < depth) return parent
  }
}

function writeBody(random: Random): string {
  // Most are short; a few are essays.
  const paragraphs = 1 + Math.floor(random.next() ** 3 * 8)
  const blocks = Array.from({ length: paragraphs }, () => writeParagraph(random))
  if (random.chance(0.12)) blocks.push(Array.from({ length: 4 }, () => `- ${sentence(random)}`).join('\n'))
  if (random.chance(0.06)) blocks.push(`> ${sentence(random)}`)
  if (random.chance(0.04))
    blocks.push('```js\nfor (const post of posts) {\n  read(post.number, `#${post.parent}`)\n}\n```')
  if (random.chance(0.03))
    blocks.push(`| one | two |\n| --- | --- |\n| ${words[random.int(words.length)]} | $p^k$ |`)
  if (random.chance(0.03)) blocks.push(`https://essays.example/${random.int(200)}`)
  return blocks.join('\n\n')
}

function writeParagraph(random: Random): string {
  return Array.from({ length: 1 + random.int(5) }, () => sentence(random)).join(' ')
}

function sentence(random: Random): string {
  const text = Array.from({ length: 6 + random.int(14) }, () => random.pick(words))
  if (random.chance(0.2)) text[2] = `**${text[2]}**`
  if (random.chance(0.1)) text[4] = '[#1]'
  return `Once ${text.join(' ')}.`
}

/** Imports a file by the command line, as an operator does; gives the thread's id. */
export async function importFile(file: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'server/main.ts', 'import', file], {
    cwd: path.resolve(import.meta.dirname, '../..'),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LINKS: 'off', ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`import ended with ${code}:\n${errors}`)
  return output.trim()
}
