import { createServer } from 'node:http'

/**
 * A program that writes when it is asked to, `GET /?seconds=N`, with always the same number of replies under way, and
 * answers how that went.
 * @param {(text: string, turn: number) => Promise<unknown>} write
 */
export function serveClosedLoop(write) {
  const outstanding = Number(process.env.OUTSTANDING)
  const text = 'a reader who argues with a text reads it twice '
    .repeat(100)
    .slice(0, Number(process.env.BYTES))
  let turn = 0

  /** @param {number} seconds */
  async function run(seconds) {
    /** @type {number[]} */
    const ms = []
    const began = performance.now()
    const end = began + seconds * 1000
    async function writeOn() {
      while (performance.now() < end) {
        const startedAt = performance.now()
        // No two are alike: nothing is to be remembered from one to the next.
        await write(`${++turn} ${text}`, turn)
        ms.push(performance.now() - startedAt)
      }
    }
    await Promise.all(Array.from({ length: outstanding }, writeOn))
    ms.sort((a, b) => a - b)
    const at = (/** @type {number} */ share) => ms[Math.ceil(share * ms.length) - 1]
    return {
      replies: ms.length,
      seconds: (performance.now() - began) / 1000,
      p50: at(0.5),
      p99: at(0.99),
    }
  }

  const server = createServer((request, response) => {
    run(Number(new URL(request.url, 'http://localhost').searchParams.get('seconds')))
      .then((report) => response.end(JSON.stringify(report)))
      .catch((error) => response.writeHead(500).end(String(error)))
  })
  server.listen(0, '127.0.0.1', () => {
    console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
  })
}
