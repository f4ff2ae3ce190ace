import { WebSocket } from 'ws'
import type { TestNode } from './node.ts'

/** What a node must be started with for `liveHeap`: a debugger's port on loopback. */
export const inspectable = { NODE_OPTIONS: '--inspect=127.0.0.1:0' }

/** Bytes of a node's heap that are in use after a full garbage collection. */
export async function liveHeap(node: Pick<TestNode, 'log'>): Promise<number> {
  const address = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(node.log())?.[0]
  if (address === undefined) throw new Error('the node was not started as inspectable')
  const socket = new WebSocket(address)
  const call = (id: number, method: string) =>
    new Promise<{ usedSize?: number }>((resolve, reject) => {
      socket.once('error', reject)
      socket.on('message', (data: Buffer) => {
        const answer = JSON.parse(data.toString()) as { id?: number; result?: { usedSize?: number } }
        if (answer.id === id) resolve(answer.result ?? {})
      })
      socket.send(JSON.stringify({ id, method }))
    })
  try {
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
    // What finalizers let go of is collected by the second round.
    await call(1, 'HeapProfiler.collectGarbage')
    await call(2, 'HeapProfiler.collectGarbage')
    return (await call(3, 'Runtime.getHeapUsage')).usedSize!
  } finally {
    socket.close()
  }
}
