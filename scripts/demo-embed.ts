/**
 * `npm run demo:embed`: a Numinex server and, as another site, a magazine whose pages hold its widgets, on loopback. What
 * they store lies in a folder that goes when they are ended.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { serve } from '../server/commands/serve.ts'
import { readConfig } from '../server/config.ts'
import { createLog } from '../server/log.ts'
import { startHostSite } from '../test/helpers/host-site.ts'
import { addHostSite, demoAdmin } from '../test/helpers/host-set-up.ts'

const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-demo-'))
const config = readConfig({
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'warn',
  ...process.env,
  DATA_DIR: dataDir,
})
const server = await serve(config, createLog(config.logLevel), 'demo')
const host = await startHostSite({ numinex: server.url, port: Number(process.env['HOST_PORT'] ?? 0) })
const magazine = `http://localhost:${host.port}`
host.site = await addHostSite(server.url, { name: 'The Margin', origins: [magazine] })

console.log(`The magazine:  ${magazine}
  a reader whom it knows:  ${magazine}/essays/walking?as=Ada
  with a strict content policy:  ${magazine}/strict
The server:    ${server.url}
  its admin:  ${demoAdmin.email}, “${demoAdmin.password}”`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.all([host.close(), server.stop()]).finally(() => {
      fs.rmSync(dataDir, { recursive: true, force: true })
      process.exit(0)
    })
  })
}
