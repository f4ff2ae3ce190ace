import { oneThread, oneThreadLoad } from './one-thread.ts'

const { viewers, writers, outstanding, textBytes, seconds } = oneThreadLoad
const postsPerSecond = 3_000

export const flood = oneThread(
  {
    name: 'flood',
    title: 'One thread, three times as much',
    about: `${viewers} viewers of one thread on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes for ${seconds} s, each with at most ${outstanding} requests under way: what a system can do that takes all of the load before.`,
    variants: ['numinex', 'socket.io', 'ws', 'nchan'],
    charts: ['deliveries', 'cpu'],
  },
  postsPerSecond,
)
