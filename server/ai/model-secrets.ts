import { seal, unseal } from '../store/seal.ts'

// Part of what the keys are made from: with another text, no key that was entered could be read any more.
const purpose = 'numinex model keys'

/**
 * Encrypts a model's key for the database. It opens for that model alone, so it cannot be moved to another, whose server
 * would then be shown it.
 */
export function sealKey(secret: string, modelId: string, apiKey: string): string {
  return seal(secret, { purpose, id: modelId }, apiKey)
}

/** The key again; undefined where it cannot be opened: the site has another secret now, or somebody changed the row. */
export function openKey(secret: string, modelId: string, sealed: string): string | undefined {
  return unseal(secret, { purpose, id: modelId }, sealed)
}
