import { oneThread, oneThreadLoad } from './one-thread.ts'

const { viewers, writers, outstanding, textBytes, seconds } = oneThreadLoad
const postsPerSecond = 1_000

export const saturated = oneThread(
  {
    name: 'saturated',
    title: 'One thread, more than most can take',
    about: `${viewers} viewers of one thread on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes for ${seconds} s, each with at most ${outstanding} requests under way.`,
    variants: ['numinex', 'socket.io', 'ws', 'nchan'],
    charts: ['deliveries', 'cpu'],
  },
  postsPerSecond,
)
