import { busLimits } from './limits.ts'

/**
 * The channel a topic travels on. Many topics share one: a node then holds a few hundred subscriptions at the most,
 * however many threads are open, and the channels spread evenly over the slots of a Cluster.
 */
export function channelOf(topic: string, namespace: string): string {
  return `${namespace}:${crc16(topic) % busLimits.partitions}`
}

/** The Cluster's slot of a channel that has no braces in its name. */
export function slotOf(channel: string): number {
  return crc16(channel) % 16_384
}

/** CRC-16/XMODEM over the text's UTF-8, as Redis Cluster computes it. */
function crc16(text: string): number {
  let crc = 0
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc
}

/** A message with its topic before it, since topics share channels. */
export function encodeEnvelope(topic: string, message: string): string {
  return `${topic}\n${message}`
}

export function decodeEnvelope(envelope: string): { topic: string; message: string } {
  const end = envelope.indexOf('\n')
  return { topic: envelope.slice(0, end), message: envelope.slice(end + 1) }
}
