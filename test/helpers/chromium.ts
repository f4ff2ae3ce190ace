import { chromium, type Browser, type LaunchOptions } from 'playwright-core'
import { services } from './services.ts'

/** Starts the Chromium of this machine, without a window. The caller closes it, and outside of a test says where it is. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = options.executablePath ?? services().chromiumPath
  if (executablePath === undefined) throw new Error('Chromium is not installed')
  return chromium.launch({
    ...options,
    executablePath,
    // Chromium has no sandbox as root, and containers give it little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...(options.args ?? [])],
  })
}
