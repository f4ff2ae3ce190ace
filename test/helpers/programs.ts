import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

/** What tests need beside Node, and the Debian packages that hold it. */
const packages = {
  postgres: ['postgresql'],
  redis: ['redis-server', 'redis-tools'],
  chromium: ['chromium', 'fonts-liberation', 'fonts-noto-color-emoji'],
  nchan: ['nginx-core', 'libnginx-mod-nchan'],
} as const

export type ServiceName = keyof typeof packages
/** What the tests need. Benchmarks also ask for `nchan`. */
export const serviceNames: readonly ServiceName[] = ['postgres', 'redis', 'chromium']

/** Where the programs are. For Postgres, the directory that holds `initdb` and `postgres`; for nchan, nginx. */
export interface Programs {
  readonly postgres?: string
  readonly redis?: string
  readonly chromium?: string
  readonly nchan?: string
}

/** The module that makes nginx nchan, where Debian puts it. */
export const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so'

/** Looks for the programs on this machine; installs nothing. */
export function findPrograms(): Programs {
  const postgres = findPostgres()
  const redis = findInPath('redis-server')
  const chromium = ['chromium', 'chromium-browser', 'google-chrome'].map(findInPath).find((file) => file)
  const nchan = fs.existsSync(nchanModule) ? findInPath('nginx') : undefined
  return {
    ...(postgres && { postgres }),
    ...(redis && { redis }),
    ...(chromium && { chromium }),
    ...(nchan && { nchan }),
  }
}

/** Why each program that was not found is missing, in words for the person who runs the tests. */
export function whyMissing(
  programs: Programs,
  names: readonly ServiceName[] = serviceNames,
): Partial<Record<ServiceName, string>> {
  const missing = names.filter((name) => programs[name] === undefined)
  return Object.fromEntries(
    missing.map((name) => [
      name,
      `${name} is not installed (on Debian: apt-get install ${packages[name].join(' ')})`,
    ]),
  )
}

/** Installs by apt-get what is missing, where that is possible: on Debian and its kin, as root. `say` gets what it does. */
export function installMissing(
  say: (line: string) => void,
  names: readonly ServiceName[] = serviceNames,
): void {
  const missing = Object.keys(whyMissing(findPrograms(), names)) as ServiceName[]
  if (missing.length === 0) return
  if (process.getuid?.() !== 0 || findInPath('apt-get') === undefined) {
    say(`missing: ${missing.join(', ')}; to install them needs apt-get and root`)
    return
  }
  const wanted = missing.flatMap((name) => packages[name])
  say(`installing by apt-get: ${wanted.join(' ')}`)
  // A runlevel without services: the packages must not start servers of their own on the usual ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  aptGet(['update'], env)
  const installed = aptGet(['install', '-y', '--no-install-recommends', ...wanted], env)
  if (installed) say('installed')
  // One package that cannot be had must not take the others with it.
  else
    for (const name of missing) aptGet(['install', '-y', '--no-install-recommends', ...packages[name]], env)
}

function aptGet(args: string[], env: NodeJS.ProcessEnv): boolean {
  const { status } = spawnSync('apt-get', ['-q', ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  return status === 0
}

/** Debian keeps the server's programs out of the PATH, a directory a version: the newest wins. */
function findPostgres(): string | undefined {
  const home = '/usr/lib/postgresql'
  const versions = fs.existsSync(home) ? fs.readdirSync(home) : []
  const directories = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(home, version, 'bin'))
  const inPath = findInPath('initdb')
  if (inPath) directories.push(path.dirname(fs.realpathSync(inPath)))
  return directories.find((directory) => isProgram(path.join(directory, 'initdb')))
}

function findInPath(name: string): string | undefined {
  const directories = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .concat('/usr/bin', '/usr/local/bin', '/usr/sbin')
  return directories.map((directory) => path.join(directory, name)).find(isProgram)
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The numbers of a system user, for servers that refuse to run as root. */
export function userIds(name: string): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
