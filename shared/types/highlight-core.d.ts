// Of highlight.js only what is used here: its own types bring the DOM's along, which `shared` must do without.

export type LanguageFn = (hljs: HLJSApi) => object

export interface HLJSApi {
  newInstance(): HLJSApi
  registerLanguage(name: string, language: LanguageFn): void
  getLanguage(name: string): object | undefined
  highlight(code: string, options: { language: string; ignoreIllegals?: boolean }): { value: string }
}

declare const core: HLJSApi
export default core
