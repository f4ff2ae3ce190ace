import { remembered, type Remembered } from '../../app/storage.ts'

const days = 400

/**
 * One entry of what this frame remembers in pages of one site. Browsers that refuse frames their storage, as some do with
 * cookies of third parties, let them have a cookie that is kept apart for each site around them. The server never reads it.
 */
export function kept(key: string): Remembered {
  const entry = remembered(key)
  const name = `numinex-${encodeURIComponent(key)}`
  const cookie = {
    get: () =>
      document.cookie
        .split('; ')
        .find((each) => each.startsWith(`${name}=`))
        ?.slice(name.length + 1) ?? null,
    set(value: string | null) {
      const age = value === null ? 0 : days * 86_400
      document.cookie = `${name}=${value ?? ''}; Max-Age=${age}; Path=/embed/frame; Secure; SameSite=None; Partitioned`
    },
  }
  return {
    get: () => entry.get() ?? cookie.get(),
    set(value) {
      entry.set(value)
      if (entry.get() !== value) cookie.set(value)
    },
  }
}
