/** Resolves once what views do after the next frame is done: it must not outlive the page of a test. */
export function lastFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)))
}
