// What host pages include: scripts of one file each, without imports, and the same as a module with types.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const { version, license } = JSON.parse(fs.readFileSync(at('package.json'), 'utf8'))
const target = ['chrome111', 'firefox114', 'safari16.4']

async function bundle(entry, format, outDir, file) {
  await build({
    configFile: false,
    root: at('client'),
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: at(outDir),
      emptyOutDir: false,
      target,
      lib: { entry: at(entry), formats: [format], name: 'numinex', fileName: () => file },
    },
  })
}

await bundle('client/embed/loader/loader.ts', 'iife', 'dist/public', 'embed.js')
await bundle('client/embed/loader/count-loader.ts', 'iife', 'dist/public', 'embed-count.js')

const module = 'dist/numinex-embed'
await bundle('client/embed/module/index.ts', 'es', module, 'index.js')
fs.copyFileSync(at('dist/client/embed/module/index.d.ts'), at(`${module}/index.d.ts`))
const manifest = {
  name: 'numinex-embed',
  version,
  license,
  type: 'module',
  types: './index.d.ts',
  exports: './index.js',
}
fs.writeFileSync(at(`${module}/package.json`), `${JSON.stringify(manifest, null, 2)}\n`)
