import type { ExtraName, Extras } from './renderer.ts'

/** Loads what renders code or formulas, and puts it into `extras`. Fails when it cannot be had. */
export async function loadExtra(extras: Extras, name: ExtraName): Promise<void> {
  if (name === 'highlight') {
    const { createHighlighter } = await import('../../shared/render-code.ts')
    extras.highlight ??= createHighlighter()
  } else {
    const { renderMath } = await import('../../shared/render-math.ts')
    extras.math ??= renderMath
  }
}
