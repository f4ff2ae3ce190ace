import { Resolver } from 'node:dns/promises'

/**
 * All IPv4 and IPv6 addresses of `host`, straight from the DNS. Throws the resolver's error when it has none.
 *
 * Not `dns.lookup`: that one holds a thread of the pool until a slow DNS server of a stranger's choice has answered,
 * cannot be cancelled, and would find what is in the machine's own hosts file and search domains.
 */
export async function resolveHost(host: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (addresses.length === 0 && failed) throw failed.reason
    return addresses
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
