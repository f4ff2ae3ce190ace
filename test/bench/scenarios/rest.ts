import { oneThread, oneThreadLoad } from './one-thread.ts'

const { viewers, writers, textBytes, seconds } = oneThreadLoad
const postsPerSecond = 20

export const rest = oneThread(
  {
    name: 'rest',
    title: 'One thread, at rest',
    about: `${viewers} viewers of one thread on one node; ${writers} writers offer ${postsPerSecond} posts/s of ${textBytes} bytes for ${seconds} s: the load of a lively discussion.`,
    variants: ['numinex', 'ws', 'socket.io', 'nchan'],
    charts: ['cpu', 'latestP50'],
  },
  postsPerSecond,
)
