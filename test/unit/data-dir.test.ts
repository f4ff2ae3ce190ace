import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DataDirInUse, lockDataDir } from '../../server/store/data-dir.ts'

let dir: string
const lock = () => path.join(dir, 'lock')
beforeEach(() => void (dir = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'data-dir-')), 'data')))
afterEach(() => fs.rmSync(path.dirname(dir), { recursive: true, force: true }))

interface Holder {
  pid: number
  started: string
  host: string
}
const holder = () => JSON.parse(fs.readFileSync(lock(), 'utf8')) as Holder
const leave = (left: Partial<Holder> | string) =>
  fs.writeFileSync(lock(), typeof left === 'string' ? left : JSON.stringify(left))

test('a new directory is made for its owner alone, and claimed', () => {
  const unlock = lockDataDir(dir)
  expect(fs.statSync(dir).mode & 0o777).toBe(0o700)
  expect(holder()).toMatchObject({ pid: process.pid, host: os.hostname() })
  unlock()
  expect(fs.readdirSync(dir)).toEqual([])
  lockDataDir(dir)()
})

test('a directory that is claimed is refused, with who has it and what to do', () => {
  lockDataDir(dir)
  const claim = () => lockDataDir(dir)
  expect(claim).toThrow(DataDirInUse)
  expect(claim).toThrow(path.resolve(dir))
  expect(claim).toThrow(`process ${process.pid}`)
  expect(claim).toThrow('DATABASE_URL')
  expect(claim).toThrow(lock())
  // What was tried leaves nothing behind.
  expect(fs.readdirSync(dir)).toEqual(['lock'])
})

test('a claim of another process holds as long as it lives, also when it is killed', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6); console.log("here")'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  lockDataDir(dir)
  const stat = fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!
  const mine = holder()
  leave({ ...mine, pid: child.pid!, started: mine.started.replace(/\/\d+$/, `/${ticks}`) })
  expect(() => lockDataDir(dir)).toThrow(`process ${child.pid}`)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  const unlock = lockDataDir(dir)
  expect(holder().pid).toBe(process.pid)
  unlock()
})

test.each<[string, (mine: Holder) => Partial<Holder> | string]>([
  ['a process that is gone', (mine) => ({ ...mine, pid: 2 ** 22 - 1, started: 'boot/1' })],
  ['another process that had the same pid', (mine) => ({ ...mine, pid: process.ppid, started: 'boot/1' })],
  [
    'a process with our own pid, before this machine was started again',
    (mine) => ({ ...mine, started: 'boot/1' }),
  ],
  ['a process that was cut off while writing', () => '{"pid":'],
  ['nobody', () => ''],
])('the claim of %s is taken over', (_, left) => {
  lockDataDir(dir)
  leave(left(holder()))
  const unlock = lockDataDir(dir)
  expect(holder().pid).toBe(process.pid)
  expect(fs.readdirSync(dir)).toEqual(['lock'])
  unlock()
})

test('the claim of a process on another host holds for as long as that shows that it lives', () => {
  lockDataDir(dir)()
  fs.mkdirSync(dir, { recursive: true })
  leave({ pid: 1, started: '', host: 'elsewhere' })
  expect(() => lockDataDir(dir)).toThrow(DataDirInUse)
  const before = new Date(Date.now() - 11_000)
  fs.utimesSync(lock(), before, before)
  lockDataDir(dir)()
})

test('a holder shows that it lives', async () => {
  const unlock = lockDataDir(dir)
  const before = new Date(Date.now() - 60_000)
  fs.utimesSync(lock(), before, before)
  await vi.waitFor(() => expect(Date.now() - fs.statSync(lock()).mtimeMs).toBeLessThan(10_000), {
    timeout: 8_000,
  })
  unlock()
})

test('of many processes that come at once one gets it', async () => {
  fs.mkdirSync(dir, { recursive: true })
  leave({ pid: 2 ** 22 - 1, started: 'boot/1', host: os.hostname() })
  const script = path.resolve('server/store/data-dir.ts')
  const code = `import { lockDataDir } from ${JSON.stringify(script)}
    try { lockDataDir(${JSON.stringify(dir)}); console.log('got'); setInterval(() => {}, 1e6) }
    catch (error) { console.log(error.constructor.name); process.exit() }`
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  try {
    const said = await Promise.all(
      children.map(async (child) => String((await once(child.stdout, 'data'))[0]).trim()),
    )
    expect(said.toSorted()).toEqual([...Array<string>(5).fill('DataDirInUse'), 'got'])
  } finally {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null) return
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }),
    )
  }
})
