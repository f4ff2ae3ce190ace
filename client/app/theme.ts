import { remembered } from './storage.ts'

/** Lets the reader choose light or dark against the system's choice. */
export function startTheme(button: HTMLElement | null): void {
  const choice = remembered('theme')
  if (button === null) return
  button.hidden = false
  button.addEventListener('click', () => {
    const root = document.documentElement
    const dark =
      root.dataset['theme'] ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
    root.dataset['theme'] = dark === 'dark' ? 'light' : 'dark'
    choice.set(root.dataset['theme'])
  })
}
