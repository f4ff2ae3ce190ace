import { remembered } from './storage.ts'

/** Lets the reader choose light or dark against the system's choice. Whoever chooses what the system has follows it again. */
export function startTheme(button: HTMLElement | null): void {
  if (button === null) return
  const choice = remembered('theme')
  const system = matchMedia('(prefers-color-scheme: dark)')
  const root = document.documentElement
  const bySystem = () => (system.matches ? 'dark' : 'light')

  /** The button says what it leads to. */
  function label(): void {
    const other = (root.dataset['theme'] ?? bySystem()) === 'dark' ? 'Light' : 'Dark'
    button!.textContent = `${other} mode`
  }

  button.hidden = false
  button.addEventListener('click', () => {
    const next = (root.dataset['theme'] ?? bySystem()) === 'dark' ? 'light' : 'dark'
    if (next === bySystem()) delete root.dataset['theme']
    else root.dataset['theme'] = next
    choice.set(root.dataset['theme'] ?? null)
    label()
  })
  system.addEventListener('change', label)
  label()
}
