/**
 * `npm test`: prepares what the tests need, then runs all checks and all tests, and ends with one line of counts.
 * `npm test -- test/unit/x` runs those tests only.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { installMissing } from '../test/helpers/programs.ts'

const checks: [name: string, command: string, ...args: string[]][] = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'oxlint'],
  ['types', 'tsc', '-b'],
  ['build', 'npm', 'run', 'build', '--if-present', '--silent'],
]

/** The step that runs now, and whether the run was told to end. */
let running: ChildProcess | undefined
let interrupted = false

interface Counts {
  passed: number
  failed: number
  skipped: number
}

async function main(vitestArgs: string[]): Promise<number> {
  const say = (line: string) => console.log(`test: ${line}`)
  // All temporary files of the run lie in one place, which goes with it even when a test process was killed.
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'numinex-test-'))
  // Postgres runs as another user than root, and has to reach its own directory in there.
  fs.chmodSync(directory, 0o711)
  const stopForwarding = forwardSignals()
  try {
    installMissing(say)
    const failedChecks = vitestArgs.length > 0 ? [] : await runChecks(say)
    const report = path.join(directory, 'report.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const env = { ...process.env, TMPDIR: directory }
    const code = interrupted ? 1 : await run('vitest', ['run', ...reporters, ...vitestArgs], env)
    const counts = readCounts(report)
    // A file that cannot be loaded, or an error outside of any test, fails the run without failing a test.
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    if (failedChecks.length > 0) say(`failed: ${failedChecks.join(', ')}`)
    counts.failed += failedChecks.length
    const incomplete = process.env['CI'] !== undefined && counts.skipped > 0
    if (incomplete) say('failed: in CI nothing may be skipped')
    console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    return counts.failed > 0 || incomplete ? 1 : 0
  } finally {
    fs.rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    stopForwarding()
  }
}

/** Runs all of them, so that one run shows everything there is to mend. Gives the names of those that failed. */
async function runChecks(say: (line: string) => void): Promise<string[]> {
  const failed: string[] = []
  for (const [name, command, ...args] of checks) {
    if (interrupted) break
    say(name)
    if ((await run(command, args)) !== 0) failed.push(name)
  }
  return failed
}

async function run(command: string, args: string[], env = process.env): Promise<number> {
  const bin = path.resolve('node_modules/.bin')
  const PATH = `${bin}${path.delimiter}${env['PATH']}`
  running = spawn(command, args, { stdio: 'inherit', env: { ...env, PATH } })
  const [code] = (await once(running, 'exit')) as [number | null]
  running = undefined
  return code ?? 1
}

/** An interrupted run still ends its servers: the test runner is told, and waited for. */
function forwardSignals(): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const forward = (signal: NodeJS.Signals) => {
    interrupted = true
    console.log(`test: ${signal}: ending`)
    running?.kill(signal)
  }
  for (const signal of signals) process.on(signal, forward)
  return () => signals.forEach((signal) => process.off(signal, forward))
}

function readCounts(report: string): Counts {
  if (!fs.existsSync(report)) return { passed: 0, failed: 0, skipped: 0 }
  const json = JSON.parse(fs.readFileSync(report, 'utf8')) as Record<string, number>
  return {
    passed: json['numPassedTests']!,
    failed: json['numFailedTests']!,
    skipped: json['numPendingTests']! + json['numTodoTests']!,
  }
}

process.chdir(path.join(import.meta.dirname, '..'))
process.exitCode = await main(process.argv.slice(2))
