import { chromium, type Browser, type LaunchOptions } from 'playwright-core'
import { services } from './services.ts'

/** Starts the Chromium of this machine, without a window. The caller closes it. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const { chromiumPath } = services()
  if (chromiumPath === undefined) throw new Error('Chromium is not installed')
  return chromium.launch({
    executablePath: chromiumPath,
    ...options,
    // Chromium has no sandbox as root, and containers give it little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', ...(options.args ?? [])],
  })
}
