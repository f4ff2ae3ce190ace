import type { LanguageFn } from './highlight-core.js'

declare const language: LanguageFn
export default language
