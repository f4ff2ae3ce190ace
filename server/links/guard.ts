import net from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Why a fetch was refused or failed. `address` is also the reason for an address that cannot be read at all; `dns`,
 * `timeout` and `network` may pass; the others say something about the address or the answer itself.
 */
export type FetchReason =
  | 'scheme'
  | 'port'
  | 'credentials'
  | 'address'
  | 'dns'
  | 'timeout'
  | 'too-large'
  | 'type'
  | 'redirects'
  | 'status'
  | 'network'

/** The one error of outgoing fetches. */
export class FetchError extends Error {
  readonly reason: FetchReason
  /** The HTTP status, where `reason` is `status`. */
  readonly status: number | undefined

  constructor(reason: FetchReason, detail: string, more: { status?: number; cause?: unknown } = {}) {
    super(`${reason}: ${detail}`, { cause: more.cause })
    this.name = 'FetchError'
    this.reason = reason
    this.status = more.status
  }
}

export interface GuardParts {
  /** All addresses of a name; throws when there are none. */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]>
  /** Lets tests reach their own servers. Nothing in the configuration leads here. */
  allowAddress?(address: string, port: number): boolean
}

/** An address that may be fetched, and the IP addresses, all of them checked, to which it may connect. */
export interface Target {
  readonly url: URL
  readonly port: number
  readonly addresses: readonly string[]
}

/**
 * Reads `address` and decides whether it may be fetched. Names are resolved here, once; the caller connects to the
 * `addresses` of the answer and never asks again, so that a second DNS answer cannot lead elsewhere.
 * Throws a FetchError.
 */
export async function checkTarget(parts: GuardParts, address: string, signal: AbortSignal): Promise<Target> {
  if (!URL.canParse(address)) throw new FetchError('address', 'not an absolute address')
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new FetchError('scheme', url.protocol)
  if (url.username !== '' || url.password !== '')
    throw new FetchError('credentials', 'the address holds some')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  // Without the hook of tests nothing may use another port, so that there is no need to ask the DNS first.
  if (!webPorts.has(port) && !parts.allowAddress) throw new FetchError('port', String(port))

  // The URL parser has already turned every spelling of an IPv4 address (decimal, octal, short, full-width) into one.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const addresses = net.isIP(host) === 0 ? await resolveName(parts, host, signal) : [host]
  for (const resolved of addresses) {
    if (parts.allowAddress?.(resolved, port) === true) continue
    if (!webPorts.has(port)) throw new FetchError('port', String(port))
    if (!isPublicAddress(resolved)) throw new FetchError('address', `${host} leads to ${resolved}`)
  }
  return { url, port, addresses }
}

const webPorts: ReadonlySet<number> = new Set([80, 443])

async function resolveName(parts: GuardParts, host: string, signal: AbortSignal): Promise<readonly string[]> {
  if (!isPublicName(host)) throw new FetchError('address', `${host} is not a public name`)
  let addresses: readonly string[]
  try {
    addresses = await parts.resolve(host, signal)
  } catch (cause) {
    throw new FetchError('dns', host, { cause })
  }
  if (addresses.length === 0) throw new FetchError('dns', `${host} has no address`)
  return addresses
}

/** Whether `host`, as the URL parser writes it, can be the name of a server on the public internet. */
export function isPublicName(host: string): boolean {
  const labels = host.split('.')
  // A trailing dot leaves an empty last label. Such names are honest but rare, and too many checks elsewhere miss them.
  return labels.length >= 2 && labels.every((label) => label !== '') && !privateZones.has(labels.at(-1)!)
}

// Top-level names that never lead to the public internet, or are commonly used inside of networks.
const privateZones: ReadonlySet<string> = new Set([
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'arpa',
  'onion',
  'alt',
  'invalid',
])

/** Whether `address` is an IP address of the public internet: global unicast, and not a way to write another one. */
export function isPublicAddress(address: string): boolean {
  if (net.isIP(address) === 0 || address.includes('%')) return false
  const ip = ipaddr.parse(address)
  // Ranges of translators (6to4, Teredo, NAT64, IPv4-mapped) have names of their own and so are refused whole,
  // public IPv4 addresses in them too.
  if (ip.range() !== 'unicast') return false
  // The library calls unassigned space and IPv4-compatible addresses (::7f00:1) unicast; all of the public IPv6
  // internet is in 2000::/3.
  if (ip.kind() === 'ipv6') return ip.match(ipv6Internet)
  return !publicMetadata.has(ip.toString())
}

const ipv6Internet = ipaddr.parseCIDR('2000::/3')
// Azure's metadata and wire server has an address that looks public.
const publicMetadata: ReadonlySet<string> = new Set(['168.63.129.16'])
