import { gzipSync } from 'node:zlib'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { importOptions } from '../../server/commands/import-options.ts'
import { readDisqus } from '../../server/importing/disqus.ts'
import { readGiscus } from '../../server/importing/giscus.ts'
import { textOf } from '../../server/importing/input.ts'
import { jsonValues, type JsonRecord } from '../../server/importing/json-values.ts'
import { planThread } from '../../server/importing/plan.ts'
import type { SourceRecord } from '../../server/importing/records.ts'
import { readRemark42 } from '../../server/importing/remark42.ts'
import { entryLine } from '../../server/importing/report.ts'
import type { Bundle, WaitingComment } from '../../server/importing/spool.ts'
import { nameOf, timeOf, titleOf } from '../../server/importing/values.ts'
import { readWordPress } from '../../server/importing/wordpress.ts'
import { readXml, textAt, type XmlRecord } from '../../server/importing/xml.ts'

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.slice(at, at + size))
}

/** What comes of a text, however it is cut, and the message of the problem at its end. */
async function all<T>(read: (text: AsyncIterable<string>) => AsyncIterable<T>, text: string) {
  const results: { items: T[]; problem: string | undefined }[] = []
  for (const size of [1, 7, 64, text.length + 1]) {
    const items: T[] = []
    let problem: string | undefined
    try {
      for await (const item of read(pieces(text, size))) items.push(item)
    } catch (error) {
      problem = (error as Error).message
    }
    results.push({ items, problem })
  }
  for (const result of results) expect(result).toEqual(results[0])
  return results[0]!
}

const shape = {
  what: 'a shelf',
  records: ['shelf/book', 'shelf/book/note', 'shelf/post'],
  ignored: ['shelf/book/junk'],
}
const brief = ({ node, outer, line, flaw }: XmlRecord) =>
  [
    node.name,
    textAt(node, 'title'),
    line,
    ...(outer ? [`in ${outer.name}`] : []),
    ...(flaw ? [flaw] : []),
  ].join(' ')
const books = async (text: string) => {
  const { items, problem } = await all((chunks) => readXml(chunks, shape), text)
  return { items: items.map(brief), problem }
}

describe('records of XML', () => {
  test('come with their lines and what they stand in', async () => {
    const text = `<?xml version="1.0"?>
<!DOCTYPE shelf [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>
<shelf a="1"
  b="2">
<book><title>A &amp; <![CDATA[<B>]]> &lol2;</title><junk><title>no</title></junk>
<note>
<title>N</title></note></book>

<post><title>P</title></post></shelf>`
    expect(await books(text)).toEqual({
      items: ['note N 6 in book', 'book A & <B> &lol2; 5', 'post P 9'],
      problem: undefined,
    })
  })

  test('are whole again after one that is not', async () => {
    const text = `<shelf>
<book><title>one</title></book>
<book><title>two
<book><title>three</titel></book>
<post><title>four<b></title></post>
<book><note><title>five
<post x=1/>
<book/></shelf>`
    expect(await books(text)).toEqual({
      items: [
        'book one 2',
        'book two 3 cut-off',
        'book three 4',
        'post four 5',
        'note five 6 in book cut-off',
        'book  6 cut-off',
        'post  7 cut-off',
        'book  8 cut-off',
      ],
      problem: undefined,
    })
  })

  test('of a file that is none, or not whole', async () => {
    expect((await books('<rss></rss>')).problem).toBe('the file is not a shelf')
    expect((await books('')).problem).toBe('the file is not a shelf')
    expect((await books('{"a": 1}\n')).problem).toBe('the file is not a shelf')
    expect(await books('<shelf>\n<book><title>x</title></book>\n<book><tit')).toEqual({
      items: ['book x 2', 'book  3 cut-off'],
      problem: 'line 3: the file ends before its end: it was cut off',
    })
  })

  test('however deep they nest', async () => {
    const text = `<shelf><book>${'<a>'.repeat(200_000)}</book><book><title>x</title></book></shelf>`
    const found: string[] = []
    const started = performance.now()
    for await (const record of readXml(pieces(text, 65_536), shape)) found.push(brief(record))
    expect(found).toEqual(['book  1', 'book x 1'])
    expect(performance.now() - started).toBeLessThan(4_000)
  })
})

const values = async (text: string) => {
  const { items, problem } = await all<JsonRecord>(jsonValues, text)
  return {
    items: items.map(({ line, value, flaw }) => (flaw === undefined ? [line, value] : [line, flaw])),
    problem,
  }
}

describe('JSON values', () => {
  test.each([
    [
      '{"a":1}\n{"a":"}{\\"["}\n\nnull\n',
      [
        [1, { a: 1 }],
        [2, { a: '}{"[' }],
        [4, null],
      ],
    ],
    [
      '[{"a":1},\n{"a":[2]},null,3,"x"]',
      [
        [1, { a: 1 }],
        [2, { a: [2] }],
        [2, null],
        [2, 3],
        [2, 'x'],
      ],
    ],
    [
      '{"a":\n {"b":1}\n}{"c":2}',
      [
        [1, { a: { b: 1 } }],
        [3, { c: 2 }],
      ],
    ],
    ['[]', []],
    [
      '[1][2]',
      [
        [1, 1],
        [1, 2],
      ],
    ],
    ['12', [[1, 12]]],
  ])('%j', async (text, items) => {
    expect(await values(text)).toEqual({ items, problem: undefined })
  })

  test('go on after one that is broken', async () => {
    expect(await values('{"a":1\n{"b":2}\n{"c":"x\n{"d":4}\n{"e":}\n{"f":6}\n')).toEqual({
      items: [
        [1, 'it has no end'],
        [2, { b: 2 }],
        [3, 'a text in it has no end'],
        [4, { d: 4 }],
        [5, 'it is not JSON'],
        [6, { f: 6 }],
      ],
      problem: undefined,
    })
    expect((await values('[\n{"a":1,\n{"b":2},\n{"c":3}\n]')).items).toEqual([
      [2, 'it has no end'],
      [3, { b: 2 }],
      [4, { c: 3 }],
    ])
  })

  test('that were cut off', async () => {
    const problem = (line: number) => `line ${line}: the file ends before its end: it was cut off`
    expect(await values('{"a":1}\n{"b":')).toEqual({ items: [[1, { a: 1 }]], problem: problem(2) })
    expect(await values('[{"a":1},\n')).toEqual({ items: [[1, { a: 1 }]], problem: problem(2) })
  })
})

const comment = (
  sourceId: string,
  parent: string | null,
  createdAt: number,
  deleted = false,
): WaitingComment => ({
  kind: 'comment',
  sourceId,
  line: null,
  thread: 't',
  parent,
  author: { sourceId: 'a', name: 'A', emailHash: null },
  body: 'x',
  createdAt,
  editedAt: null,
  deleted,
  reactions: [],
})
const planned = (comments: WaitingComment[], gaps: [string, string | null][] = [], known: string[] = []) => {
  const bundle: Bundle = {
    sourceId: 't',
    thread: undefined,
    skipped: undefined,
    comments,
    gaps: gaps.map(([sourceId, parent]) => ({ kind: 'gap', sourceId, thread: 't', parent, reason: 'spam' })),
  }
  const plan = planThread(bundle, (id) => known.includes(id))
  return [
    ...plan.comments.map(
      ({ comment: { sourceId }, parent, note }) => `${sourceId}→${parent ?? '·'}${note ? ` ${note}` : ''}`,
    ),
    ...plan.dropped.map(({ sourceId }) => `${sourceId} dropped`),
  ]
}

describe('a plan', () => {
  test('goes by time, with parents before replies', () => {
    expect(
      planned([comment('c', 'b', 1), comment('b', 'a', 5), comment('a', null, 9), comment('d', null, 7)]),
    ).toEqual(['d→·', 'a→·', 'b→a', 'c→b'])
    // The first of several with one id.
    expect(planned([comment('a', null, 2), comment('a', null, 1)])).toEqual(['a→·'])
  })

  test('finds another place for replies to what is not there', () => {
    expect(planned([comment('a', 'gone', 1)])).toEqual(['a→· parent-missing'])
    expect(
      planned(
        [comment('a', 't', 1), comment('b', 's2', 2)],
        [
          ['s2', 's1'],
          ['s1', 'a'],
        ],
      ),
    ).toEqual(['a→·', 'b→a parent-skipped'])
    expect(planned([comment('b', 's1', 2)], [['s1', null]])).toEqual(['b→· parent-skipped'])
    expect(
      planned(
        [comment('b', 's1', 2)],
        [
          ['s1', 's2'],
          ['s2', 's1'],
        ],
      ),
    ).toEqual(['b→· parent-missing'])
    expect(planned([comment('b', 'old', 2)], [], ['old'])).toEqual(['b→old'])
  })

  test('breaks circles', () => {
    const circle = planned([
      comment('a', 'b', 1),
      comment('b', 'c', 2),
      comment('c', 'a', 3),
      comment('d', 'd', 4),
      comment('e', 'a', 5),
    ])
    expect(circle).toHaveLength(5)
    expect(circle.filter((line) => line.includes('parent-missing'))).toHaveLength(2)
    expect(circle.at(-1)).toBe('e→a')
    const long = Array.from({ length: 50_000 }, (_, i) =>
      comment(`c${i}`, i === 0 ? null : `c${i - 1}`, 50_000 - i),
    )
    expect(planned(long).at(-1)).toBe('c49999→c49998')
  })

  test('keeps the place of what was deleted only where somebody replied', () => {
    const comments = [
      comment('a', null, 1, true),
      comment('b', 'a', 2, true),
      comment('c', 'b', 3),
      comment('d', null, 4, true),
      comment('e', 'd', 5, true),
    ]
    expect(planned(comments)).toEqual(['a→·', 'b→a', 'c→b', 'e dropped', 'd dropped'])
    expect(planned([comment('a', null, 1, true)], [], ['a'])).toEqual(['a→·'])
  })
})

describe('readers', () => {
  const kinds = (items: SourceRecord[]) =>
    items.map((item) => `${item.kind}${item.kind === 'skip' ? ` ${item.reason}` : ''} ${item.sourceId}`)

  test('refuse files of other systems', async () => {
    const remark = '{"version":1,"users":[],"posts":[]}\n'
    expect((await all(readDisqus, '<rss></rss>')).problem).toBe('the file is not an export of Disqus')
    expect((await all(readWordPress, '<disqus></disqus>')).problem).toBe(
      'the file is not an export of WordPress (WXR)',
    )
    expect((await all(readRemark42, '{"x":1}')).problem).toBe('the file is not a backup of Remark42')
    expect((await all(readRemark42, '{"version":2}')).problem).toMatch(/version 2; 0 and 1 can be read/)
    expect((await all(readGiscus, remark)).problem).toBe('the file has no discussions of GitHub')
    expect((await all(readRemark42, remark)).problem).toBeUndefined()
  })

  test('Disqus: as Remark42 tests it, with an unquoted attribute and no id', async () => {
    const text = `<disqus xmlns="http://disqus.com"><thread dsq:id="t"><link>https://a.example/</link><title>T</title></thread>
<thread dsq:id="g"><isDeleted>true</isDeleted></thread>
<post><id>12</id><message>no dsq:id</message><createdAt>2011-08-31T22:49:43Z</createdAt><thread dsq:id="t"/></post>
<post dsq:id="x"><message>bad</message><isSpam>123</isSpam><thread dsq:id=t/></post>
<post dsq:id="y"><message>none</message></post></disqus>`
    expect(kinds((await all(readDisqus, text)).items)).toEqual([
      'thread t',
      'skip thread-deleted g',
      'comment 12',
      'comment x',
      'skip broken y',
    ])
  })

  test('giscus: finds the page of a discussion', async () => {
    const discussion = (more: object) => ({
      id: 'D',
      comments: { nodes: [] },
      url: 'https://github.com/o/r/discussions/1',
      ...more,
    })
    const cases: [object, string, boolean][] = [
      [
        {
          title: 'x',
          body: '# x\n\ntext\n\n[https://b.example/p.html](https://b.example/p.html)\n\n<!-- sha1: abc -->',
        },
        'https://b.example/p.html',
        false,
      ],
      [
        {
          title: 'x',
          bodyHTML: '<h1>x</h1>\n<p><a href="https://b.example/p" rel="nofollow">https://b.example/p</a></p>',
        },
        'https://b.example/p',
        false,
      ],
      [{ title: 'https://b.example/q', body: 'x' }, 'https://b.example/q', false],
      [{ title: 'posts/one', body: 'x', author: { login: 'giscus' } }, '/posts/one', false],
      [{ title: 'index', body: 'x', author: { login: 'giscus[bot]' } }, '/', false],
      [
        {
          title: 'How do I?',
          body: 'see [https://b.example](https://b.example) and tell',
          author: { login: 'ada' },
        },
        'https://github.com/o/r/discussions/1',
        true,
      ],
    ]
    for (const [more, url, root] of cases) {
      const { items } = await all(readGiscus, JSON.stringify({ data: { node: discussion(more) } }))
      expect(items[0]).toMatchObject({ kind: 'thread', url })
      expect((items[0] as { root?: object }).root !== undefined).toBe(root)
    }
  })

  test('giscus: goes on with the next page of a discussion, and tells what is missing', async () => {
    const page = (ids: string[], replies = 0) => {
      const nodes = ids.map((id) => ({
        id,
        body: 'x',
        createdAt: '2020-01-01T00:00:00Z',
        author: null,
        replies: { totalCount: replies, nodes: [] },
      }))
      return JSON.stringify({ data: { node: { id: 'D', title: 't', comments: { totalCount: 3, nodes } } } })
    }
    expect(kinds((await all(readGiscus, page(['a', 'b']) + page(['c']))).items)).toEqual([
      'thread D',
      'comment a',
      'comment b',
      'comment c',
    ])
    const { items } = await all(readGiscus, page(['a', 'b'], 2))
    expect(items.slice(3)).toMatchObject([
      { kind: 'skip', sourceId: 'D', detail: '1 of its comments are not in the file' },
      { kind: 'skip', sourceId: 'a', detail: '2 of its replies are not in the file' },
      { kind: 'skip', sourceId: 'b', detail: '2 of its replies are not in the file' },
    ])
  })

  test('files may be compressed', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-input-'))
    const file = path.join(directory, 'x.gz')
    const text = 'häß '.repeat(100_000)
    const read = async () => {
      let whole = ''
      for await (const piece of textOf(file)) whole += piece
      return whole
    }
    fs.writeFileSync(file, gzipSync(text))
    expect(await read()).toBe(text)
    fs.writeFileSync(file, gzipSync(text).subarray(0, 300))
    await expect(read()).rejects.toThrow('the compressed file is damaged or ends early')
    fs.writeFileSync(file, text)
    expect(await read()).toBe(text)
    fs.rmSync(directory, { recursive: true })
  })
})

test('times, names and titles are such as are allowed', () => {
  expect(timeOf('2019-04-01T00:00:00Z')).toBe(Date.UTC(2019, 3, 1))
  expect(timeOf('2019-04-01 00:00:00')).toBe(Date.UTC(2019, 3, 1))
  expect(timeOf('2019-04-01T02:00:00.5+02:00')).toBe(Date.UTC(2019, 3, 1) + 500)
  for (const bad of [
    '0001-01-01T00:00:00Z',
    '0000-00-00 00:00:00',
    '2999-01-01T00:00:00Z',
    '2019-13-01T00:00:00Z',
    'now',
    '',
    null,
    5,
  ])
    expect(timeOf(bad)).toBeNaN()
  expect(nameOf(' a\n\0b ')).toBe('a b')
  expect(nameOf('')).toBe('Anonymous')
  expect(nameOf('🎉'.repeat(40))).toBe('🎉'.repeat(30))
  expect(nameOf(`a${'🎉'.repeat(40)}`)).toBe(`a${'🎉'.repeat(29)}`)
  expect(titleOf('x'.repeat(500))).toBe(`${'x'.repeat(199)}…`)
  expect(
    entryLine({ what: 'skipped', kind: 'comment', sourceId: '1\u001b[2J', line: 3, reason: 'spam' }),
  ).toBe('skipped comment 1�[2J (line 3): it is marked as spam')
})

test('the command line', () => {
  expect(importOptions(['f.jsonl'])).toEqual({ file: 'f.jsonl' })
  expect(importOptions(['f', '--from', 'disqus', '--site', 'S', '--report=r.json'])).toEqual({
    file: 'f',
    from: 'disqus',
    site: 'S',
    report: 'r.json',
  })
  for (const wrong of [
    [],
    ['a', 'b'],
    ['f', '--from', 'x'],
    ['f', '--site', 'S'],
    ['f', '--what'],
    ['--from', 'isso'],
  ])
    expect(importOptions(wrong)).toBeUndefined()
  expect(importOptions(['-', '--from', 'giscus'])).toEqual({ file: '-', from: 'giscus' })
})
