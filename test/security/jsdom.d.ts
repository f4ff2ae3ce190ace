// As much of jsdom as the tests use; it has no types of its own.
declare module 'jsdom' {
  export class JSDOM {
    constructor(
      html?: string,
      options?: { url?: string; runScripts?: 'dangerously'; pretendToBeVisual?: boolean },
    )
    readonly window: Window & typeof globalThis
  }
}
