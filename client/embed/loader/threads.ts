import {
  framePath,
  liveWidgets,
  parseMessage,
  styleNames,
  toHost,
  type ToFrame,
} from '../../../shared/widget.ts'
import { isDark, keyOf } from './page.ts'

/** A frame that has said nothing for so long is taken for lost. */
const patienceMs = 12_000

/** Attributes that the frame's address tells: another value is another frame. */
const placeNames = 'thread url post sort locale collapsed read-only'.split(' ')

/** What is behind one `<numinex-thread>`. */
interface Widget {
  open(): void
  close(): void
  /** The page or the element may be other than before; these things are. */
  change(known: { live?: boolean; token?: string }): void
  hear(event: MessageEvent): void
}

/** Defines `<numinex-thread>`, whose frames are of the origin `server`. A second time does nothing. */
export function defineThreads(server: string): void {
  const name = 'numinex-thread'
  if (customElements.get(name)) return
  /** Those in the page. */
  const all = new Map<Element, Widget>()
  /** Those that have come near the view, the latest last. */
  const nearby = new Set<Element>()
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue
        nearby.delete(target)
        nearby.add(target)
        all.get(target)?.open()
      }
      // Those that came near last may be live.
      const live = [...nearby].slice(-liveWidgets)
      all.forEach((widget, element) => widget.change({ live: live.includes(element) }))
    },
    { rootMargin: '50% 0px' },
  )
  const update = () => all.forEach((widget) => widget.change({}))
  const on = (type: string, target: EventTarget | undefined = window) =>
    target?.addEventListener(type, update)
  on('popstate')
  on('hashchange')
  on('transitionend')
  on('change', matchMedia('(prefers-color-scheme:dark)'))
  // It tells of `history.pushState`, where a browser has it.
  on('navigatesuccess', (window as { navigation?: EventTarget }).navigation)
  const changes = new MutationObserver(update)
  addEventListener('message', (event) => all.forEach((widget) => widget.hear(event)))

  class NuminexThread extends HTMLElement {
    static observedAttributes = [...placeNames, 'theme', 'user-token']
    #widget = createWidget(this, server)

    /** The token by which the host's server vouches for its reader; it shows in no attribute. */
    set userToken(token: string | null) {
      this.#widget.change({ token: token ?? '' })
    }

    connectedCallback(): void {
      this.style.display ||= 'block'
      all.set(this, this.#widget)
      observer.observe(this)
      for (const root of [document.documentElement, document.body])
        changes.observe(root, { attributes: true })
    }

    disconnectedCallback(): void {
      observer.unobserve(this)
      nearby.delete(this)
      all.delete(this)
      this.#widget.close()
    }

    attributeChangedCallback(name: string, _: string | null, value: string | null): void {
      if (name === 'user-token') this.userToken = value
      else this.#widget.change({})
    }
  }
  customElements.define(name, NuminexThread)
}

function createWidget(element: HTMLElement, server: string): Widget {
  const root = element.attachShadow({ mode: 'open' })
  const slot = root.appendChild(document.createElement('slot'))
  let frame: HTMLIFrameElement | undefined
  let place = ''
  /** What the frame was told last; nothing while its script does not listen. */
  let told: string | undefined
  let known = { live: false, token: '' }
  let timer: ReturnType<typeof setTimeout>

  const topOf = (of: Element) => of.getBoundingClientRect().top
  const attribute = (name: string) => element.getAttribute(name) ?? ''
  const send = (message: ToFrame) => frame!.contentWindow!.postMessage(message, server)

  /** What the frame's address says of the thread. */
  function placeNow(): string {
    const says = new URLSearchParams({ host: location.origin })
    for (const name of placeNames) if (element.hasAttribute(name)) says.set(name, attribute(name))
    const key = keyOf(element)
    says.set(key.includes('/') ? 'url' : 'thread', key)
    return `${server}${framePath}?${says}`
  }

  /** What the element and its surroundings say of how it should look. */
  function look() {
    const css = getComputedStyle(element)
    const scheme = isDark(css.color) ? 'dark' : 'light'
    const theme = attribute('theme').replace('auto', '')
    // Where both agree, what is behind the frame shines through.
    frame!.style.colorScheme = theme || scheme
    return { theme, scheme, styles: styleNames.map((name) => css.getPropertyValue(`--numinex-${name}`)) }
  }

  function tellPage(): void {
    const page: ToFrame = { numinex: 'page', ...look(), ...known, hash: location.hash }
    const now = JSON.stringify(page)
    if (told === undefined || told === now) return
    told = now
    send(page)
  }

  function tell(type: string, detail: object): void {
    element.dispatchEvent(new CustomEvent(type, { detail }))
    if (type === 'error') console.error(detail)
  }

  /** The frame takes the place of what the host put inside. What comes after it is not drawn up. */
  function takeOver(): void {
    const { offsetHeight } = element
    slot.hidden = true
    frame!.style.position = frame!.style.visibility = ''
    if (element.offsetHeight < offsetHeight) element.style.minHeight = `${offsetHeight}px`
  }

  function open(): void {
    if (frame) return
    place = placeNow()
    frame = document.createElement('iframe')
    frame.style.cssText = 'display:block;width:100%;border:0;position:absolute;visibility:hidden'
    frame.src = `${place}&${new URLSearchParams({ title: document.title, look: JSON.stringify(look()) })}`
    frame.title = 'Comments'
    frame.allow = 'clipboard-write'
    root.append(frame)
    timer = setTimeout(() => {
      // The next change of anything tries again.
      place = ''
      tell('error', { code: 'unavailable', message: server })
    }, patienceMs)
  }

  function close(): void {
    clearTimeout(timer)
    frame?.remove()
    frame = told = undefined
    slot.hidden = false
  }

  return {
    open,
    close,
    change(next) {
      known = { ...known, ...next }
      if (!frame) return
      if (placeNow() === place) return tellPage()
      close()
      open()
    },
    hear({ source, origin, data }) {
      if (!frame || source !== frame.contentWindow || origin !== server) return
      const message = parseMessage(toHost, data)
      if (!message) return
      clearTimeout(timer)
      const { numinex: type, ...detail } = message
      switch (message.numinex) {
        case 'hello':
          told = ''
          return tellPage()
        case 'size':
          frame.style.height = `${message.height}px`
          // What the host put inside is read until all is there.
          if (!element.firstElementChild) takeOver()
          return
        case 'shift':
          return scrollBy(0, message.by)
        case 'reveal':
          takeOver()
          return scrollBy(0, topOf(element) + message.top - message.to)
        case 'error':
        case 'ready': {
          // Who reads the host's own comments goes on reading where they are.
          const read = [...element.querySelectorAll<HTMLElement>('[data-post]')].find(
            (comment) => topOf(comment) > 0,
          )
          if (read && topOf(element) < 0)
            send({ numinex: 'find', number: Number(read.dataset['post']), to: topOf(read) })
          else takeOver()
          break
        }
        case 'count':
        case 'post':
        case 'signin':
      }
      tell(type, detail)
    },
  }
}
