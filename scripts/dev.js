// Development: Vite serves the client and reloads it, the server runs from its sources and restarts on change.
import { spawn } from 'node:child_process'
import { createServer } from 'vite'

const vite = await createServer({ server: { host: '127.0.0.1', cors: true } })
await vite.listen()
const clientUrl = vite.resolvedUrls.local[0].replace(/\/$/, '')
const server = spawn('node_modules/.bin/tsx', ['watch', '--clear-screen=false', 'server/main.ts'], {
  stdio: 'inherit',
  // The views need the base file's way of writing elements; the root's own file names projects only.
  env: { ...process.env, DEV_CLIENT_URL: clientUrl, TSX_TSCONFIG_PATH: 'tsconfig.base.json' },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.kill(signal))
server.once('exit', (code) => void vite.close().finally(() => process.exit(code ?? 0)))
