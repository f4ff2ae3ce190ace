import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { down, up } from '../../shared/live.ts'
import { protocolVersion } from '../../shared/protocol.ts'

/** The number of the protocol, and the hash of all its messages under that number. */
const known = { version: 1, hash: 'de40c0f4e6cae3ce' }

test('a change of the messages takes a new number of the protocol', () => {
  const schemas = [z.toJSONSchema(up, { io: 'input' }), z.toJSONSchema(down, { io: 'output' })]
  const hash = createHash('sha256').update(JSON.stringify(schemas)).digest('hex').slice(0, 16)
  const advice =
    'The messages of /live have changed. Raise `protocolVersion` in shared/protocol.ts if an older client would not ' +
    'survive it, tell of it in docs/protocol.md, and put the new number and hash into this test.'
  expect({ version: protocolVersion, hash }, advice).toEqual(known)
})
