import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { clientFrame, createWalker, opcodes, walk } from '../bench/load/frames.ts'
import { readAnswer } from '../bench/load/http.ts'
import { readStamp, stampedText } from '../bench/load/stamps.ts'
import { tally, type Heard } from '../bench/load/tally.ts'
import { openViewer } from '../bench/load/viewer.ts'
import { wires } from '../bench/load/wires.ts'

describe('the walk over frames', () => {
  const frame = (text: string, opcode: number = opcodes.text) => {
    const payload = Buffer.from(text)
    const length = payload.length
    const head =
      length < 126
        ? Buffer.from([0x80 | opcode, length])
        : length < 65_536
          ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255])
          : Buffer.from([0x80 | opcode, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255])
    return Buffer.concat([head, payload])
  }
  const texts = ['ab', 'c'.repeat(125), 'd'.repeat(126), 'e'.repeat(70_000), 'the end']
  const stream = Buffer.concat([...texts.map((text) => frame(text)), frame('', opcodes.ping), frame('2')])

  test.each([1, 2, 3, 7, 1_000, stream.length])('in pieces of %i bytes', (size) => {
    const heard: [number, string][] = []
    const walker = createWalker((opcode, payload) => heard.push([opcode, payload.toString()]))
    for (let at = 0; at < stream.length; at += size) {
      walk(walker, stream, at, Math.min(stream.length, at + size))
    }
    expect(heard).toEqual([...texts.map((text) => [1, text]), [opcodes.ping, ''], [1, '2']])
    expect(walker.frames).toBe(texts.length)
    expect(walker.bytes).toBe(texts.join('').length)
  })

  test('counts without keeping, but for pings', () => {
    const heard: string[] = []
    const walker = createWalker((_, payload) => heard.push(payload.toString()))
    walker.keep = false
    walk(walker, stream, 0, stream.length)
    expect(heard).toEqual(['', '2'])
    expect(walker.bytes).toBe(texts.join('').length)
  })

  test('leaves out what is too short to be a post', () => {
    const walker = createWalker(() => {})
    walker.shortest = 126
    walk(walker, stream, 0, stream.length)
    expect(walker).toMatchObject({ frames: 2, bytes: 126 + 70_000 })
  })

  test('and a client frame is masked', () => {
    const sent = clientFrame(opcodes.text, Buffer.from('abc'), Buffer.from([1, 2, 3, 4]))
    expect([...sent]).toEqual([0x81, 0x83, 1, 2, 3, 4, 97 ^ 1, 98 ^ 2, 99 ^ 3])
    expect(clientFrame(opcodes.text, Buffer.alloc(300)).readUInt16BE(2)).toBe(300)
  })
})

test('a viewer joins a server of another make, and answers its pings', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const said: string[] = []
  const ponged = new Promise((resolve) => {
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        said.push(data.toString())
        socket.send('{"type":"joined"}')
        socket.ping('alive?')
      })
      socket.on('pong', (data) => {
        resolve(data.toString())
        socket.send('{"body":"x"}')
      })
    })
  })
  const { port } = server.address() as AddressInfo
  const heard = new Promise((resolve) => {
    void openViewer({ wire: wires.ws, port, thread: 't1', after: 0 }, resolve).then((viewer) => {
      server.once('close', () => viewer.drop())
    })
  })
  expect(await ponged).toBe('alive?')
  expect(await heard).toBe('{"body":"x"}')
  expect(said).toEqual(['{"type":"join","thread":"t1"}'])
  server.close()
  for (const client of server.clients) client.terminate()
})

describe('what viewers got', () => {
  const viewer = (sampled: boolean, posts: number[], bytes: number, lost?: string): Heard => ({
    sampled,
    posts: new Set(sampled ? posts : []),
    repeated: 0,
    bytes,
    frames: 1,
    lost,
  })

  test('everything', () => {
    const group = [viewer(true, [1, 2], 200), viewer(false, [], 200), viewer(false, [], 210)]
    expect(tally([group], [2])).toMatchObject({ deliveries: 6, missing: 0, viewersMissing: 0, notes: [] })
  })

  test('of two groups, each its own', () => {
    const groups = [[viewer(true, [1], 90), viewer(false, [], 90)], [viewer(true, [2, 3], 180)]]
    expect(tally(groups, [1, 2])).toMatchObject({ deliveries: 4, missing: 0 })
  })

  test('all but one post, by one who counts and by one who reads', () => {
    const group = [viewer(true, [1, 2], 200), viewer(false, [], 199), viewer(true, [2], 100)]
    expect(tally([group], [2])).toMatchObject({
      deliveries: 4,
      missing: 2,
      viewersMissing: 2,
      notes: ['missed 1 of 2 posts', 'missed 1 of 2 posts'],
    })
  })

  test('nothing that is known, where nobody who reads got everything', () => {
    const group = [viewer(true, [1], 100), viewer(false, [], 100)]
    expect(tally([group], [2])).toMatchObject({ deliveries: 1, missing: 3 })
  })

  test('everything until a connection was lost', () => {
    const group = [viewer(true, [1], 100), viewer(false, [], 100, 'closed with 4480')]
    expect(tally([group], [1])).toMatchObject({ missing: 0, viewersMissing: 1, notes: ['closed with 4480'] })
  })
})

test('a stamp is found in what became of a post', () => {
  const text = stampedText(17, 1234.6, 200)
  expect(text).toHaveLength(200)
  expect(readStamp(`<p>${text}</p>`)).toEqual({ id: 17, sentUs: 1235 })
  expect(readStamp('<p>no stamp</p>')).toBeUndefined()
})

describe('an answer over HTTP', () => {
  const head = 'HTTP/1.1 201 Created\r\netag: W/"5"\r\n'
  test.each([
    [`${head}content-length: 2\r\n\r\nok`, { status: 201, bodyBytes: 2, etag: 'W/"5"' }],
    [`${head}content-length: 2\r\n\r\no`, undefined],
    [`${head}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, { status: 201, bodyBytes: 12 }],
    [`${head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`, { status: 201 }],
    [`${head}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n`, undefined],
    ['HTTP/1.1 304 Not Modified\r\n\r\n', { status: 304, bodyBytes: 0 }],
    ['HTTP/1.1 304 Not', undefined],
  ])('%j', (text, expected) => {
    const answer = readAnswer(Buffer.from(text))
    if (expected) expect(answer).toMatchObject(expected)
    else expect(answer).toBeUndefined()
  })
})
