import {
  framePath,
  liveWidgets,
  parseMessage,
  styleNames,
  toHost,
  type ToFrame,
} from '../../../shared/widget.ts'
import { patienceMs, settleMs } from './limits.ts'
import { isDark, pageOf } from './page.ts'

/** Attributes that the frame's address tells: another value is another frame. */
const placeNames = 'thread url post sort locale collapsed read-only'.split(' ')

/** Custom properties of the page that the frame takes over. */
const properties = styleNames.map((name) => '--numinex-' + name)

/** What is known of a widget: whether it has come near the view, whether it may be live, and who reads. */
interface Known {
  near: boolean
  live: boolean
  token: string
}

/** What is behind one `<numinex-thread>`. */
interface Widget {
  /** The page or the element may be other than before; these things are. */
  change(next?: Partial<Known>): void
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
      }
      // Those that came near last may be live.
      const live = [...nearby].slice(-liveWidgets)
      all.forEach((widget, element) =>
        widget.change({ near: nearby.has(element), live: live.includes(element) }),
      )
    },
    { rootMargin: '50%' },
  )
  const update = () => setTimeout(() => all.forEach((widget) => widget.change()), settleMs)
  // Another fragment is another state, too.
  addEventListener('popstate', update)
  addEventListener('online', update)
  // It tells of `history.pushState`, where a browser has it. Elsewhere the title does.
  ;(self as { navigation?: EventTarget }).navigation?.addEventListener('navigate', update)
  new MutationObserver(update).observe(document.head, { childList: true, subtree: true, attributes: true })
  addEventListener('message', (event) => all.forEach((widget) => widget.hear(event)))

  customElements.define(
    name,
    class extends HTMLElement {
      static observedAttributes = [...placeNames, 'theme', 'user-token']
      #widget = createWidget(this, server)

      /** The token by which the host's server vouches for its reader; it shows in no attribute, and can only be set. */
      set userToken(token: string | null | undefined) {
        this.#widget.change({ token: token ?? '' })
      }

      connectedCallback(): void {
        this.style.display ||= 'block'
        all.set(this, this.#widget)
        observer.observe(this)
      }

      /** Where it is moved by `moveBefore`, the frame lives on. */
      connectedMoveCallback(): void {}

      disconnectedCallback(): void {
        observer.unobserve(this)
        nearby.delete(this)
        all.delete(this)
        this.#widget.change({ near: false })
      }

      attributeChangedCallback(name: string, _: string | null, value: string | null): void {
        if (name === 'user-token') this.userToken = value
        else this.#widget.change()
      }
    },
  )
}

function createWidget(
  element: HTMLElement & { userToken?: string | null | undefined },
  server: string,
): Widget {
  const root = element.attachShadow({ mode: 'open' })
  const slot = root.appendChild(document.createElement('slot'))
  const frame = document.createElement('iframe')
  let place = ''
  let height = 0
  let width = 0
  /** What the frame was told last; nothing while its script does not listen. */
  let told = ''
  let known: Known = { near: false, live: false, token: element.userToken ?? '' }
  let timer: ReturnType<typeof setTimeout>

  // What was set before there was anyone to take it would hide what takes it now.
  delete element.userToken
  frame.title = 'Comments'
  frame.allow = 'clipboard-write'
  // A change of these in the page, however it came about, is a transition here, whose end tells of it.
  frame.style.cssText = `display:block;width:100%;border:0;height:0;transition:1ms;transition-behavior:allow-discrete;transition-property:color,${properties.join()}`
  frame.ontransitionend = tellPage

  const rectOf = (of: Element) => of.getBoundingClientRect()
  const send = (message: ToFrame) => frame.contentWindow!.postMessage(message, server)
  /** At once, also where the page scrolls smoothly. */
  const scroll = (top: number) => scrollBy({ top, behavior: 'instant' })

  /** What the element and its surroundings say of how it should look. */
  function look() {
    const css = getComputedStyle(element)
    const scheme = isDark(css.color) ? 'dark' : 'light'
    const theme = (element.getAttribute('theme') ?? '').replace('auto', '')
    // Where both agree, what is behind the frame shines through.
    frame.style.colorScheme = theme || scheme
    return { theme, scheme, styles: properties.map((name) => css.getPropertyValue(name)) }
  }

  function tellPage(): void {
    if (!told) return
    const page: ToFrame = { numinex: 'page', ...look(), ...known, hash: location.hash }
    if (told !== (told = JSON.stringify(page))) send(page)
  }

  function tell(type: string, detail: object): void {
    element.dispatchEvent(new CustomEvent(type, { detail }))
    if (type === 'error') console.error(detail)
  }

  /** The frame takes the place of what the host put inside. What comes after it in view is not drawn up. */
  function takeOver(): void {
    const { top, bottom } = rectOf(element)
    if (!slot.hidden) frame.style.minHeight = Math.min(bottom, innerHeight) - top + 'px'
    slot.hidden = true
    frame.style.height = height + 'px'
  }

  return {
    change(next) {
      known = { ...known, ...next }
      const says = new URLSearchParams({ host: origin })
      for (const { name, value } of element.attributes) if (placeNames.includes(name)) says.set(name, value)
      says.set('url', pageOf(element))
      const now = known.near ? says.toString() : ''
      if (now === place) return tellPage()
      place = now
      told = ''
      clearTimeout(timer)
      // Taken out and put in again it begins anew, which is no step of the way back.
      frame.remove()
      if (!now) return
      says.set('title', element.title || document.title)
      says.set('look', JSON.stringify(look()))
      frame.src = server + framePath + '?' + says
      root.append(frame)
      timer = setTimeout(() => {
        // The next change of anything, or of the network, tries again.
        place = ''
        tell('error', { code: 'unavailable', message: server })
      }, patienceMs)
    },
    hear({ source, origin, data }) {
      if (source !== frame.contentWindow || origin !== server) return
      const message = parseMessage(toHost, data)
      if (!message) return
      clearTimeout(timer)
      const { numinex: type, ...detail } = message
      if (message.numinex === 'hello') {
        told = 'nothing'
        tellPage()
      } else if (message.numinex === 'size') {
        // A scroll bar of the page that came with this height would go with a lower one, and come again.
        if (frame.offsetWidth < width && message.height < height) width = 0
        else {
          width = frame.offsetWidth
          height = message.height
          // What the host put inside is read until all is there.
          if (slot.hidden || !element.firstElementChild) takeOver()
        }
      } else if (message.numinex === 'shift') scroll(message.by)
      else if (message.numinex === 'reveal') {
        takeOver()
        scroll(rectOf(element).top + message.top - message.to)
      } else {
        // Who reads the host's own comments goes on reading where they are. Later this changes nothing.
        const read = [...element.querySelectorAll<HTMLElement>('[data-post]')].find(
          (comment) => rectOf(comment).top > 0 || rectOf(comment).bottom > innerHeight,
        )
        if (read && rectOf(element).top < 0)
          send({ numinex: 'find', number: +read.dataset['post']!, to: rectOf(read).top })
        else takeOver()
        tell(type, detail)
      }
    },
  }
}
