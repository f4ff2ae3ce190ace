import { createHash, randomInt } from 'node:crypto'

const idLength = 10
const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A new thread's id: ten random characters of base 58, about 58 bits. */
export function newThreadId(): string {
  return Array.from({ length: idLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** The id that always comes of the same text, as evenly spread as random ones. */
export function derivedThreadId(text: string): string {
  let rest = createHash('sha256')
    .update(text)
    .digest()
    .reduce((number, byte) => number * 256n + BigInt(byte), 0n)
  return Array.from({ length: idLength }, () => {
    const digit = alphabet[Number(rest % BigInt(alphabet.length))]
    rest /= BigInt(alphabet.length)
    return digit
  }).join('')
}
