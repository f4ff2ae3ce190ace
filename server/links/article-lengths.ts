/** Pixels of each unit, in a window of 1,000 by 1,000 pixels with letters of 16. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 4 / 3,
  pc: 16,
  in: 96,
  cm: 37.8,
  mm: 3.78,
  q: 0.945,
  em: 16,
  rem: 16,
  lh: 19,
  rlh: 19,
  ex: 8,
  ch: 8,
}

/** Values that anybody writes are shorter. */
const longest = 200

const tokens =
  /[a-z][a-z-]*\(|[(),*/]|(?<=\s)[+-](?=\s)|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:[a-z]+|%)?|\S/g

/**
 * About how many pixels a length of CSS is, `calc()` and the like included; `percent` is what 1 % is. Undefined for what is no
 * length, or cannot be known. A number without a unit is itself.
 */
export function pixelsOf(value: string, percent?: number): number | undefined {
  if (value.length > longest) return undefined
  const list = value.match(tokens) ?? []
  let at = 0
  const result = sum()
  return at === list.length && Number.isFinite(result) ? result : undefined

  function sum(): number {
    let left = product()
    while (list[at] === '+' || list[at] === '-') left += list[at++] === '+' ? product() : -product()
    return left
  }

  function product(): number {
    let left = term()
    while (list[at] === '*' || list[at] === '/') left = list[at++] === '*' ? left * term() : left / term()
    return left
  }

  function term(): number {
    const token = list[at++] ?? ''
    if (token.endsWith('(')) return call(token.slice(0, -1))
    const { number, unit } =
      /^(?<number>[+-]?[\d.]+(?:e[+-]?\d+)?)(?<unit>[a-z]*|%)$/.exec(token)?.groups ?? {}
    if (number === undefined || unit === undefined) return NaN
    return Number(number) * (unit === '%' ? (percent ?? NaN) : (units[unit] ?? ofWindow(unit)))
  }

  function call(name: string): number {
    const given = [sum()]
    while (list[at] === ',') {
      at++
      given.push(sum())
    }
    if (list[at++] !== ')') return NaN
    if (name === '' || name === 'calc') return given.length === 1 ? given[0]! : NaN
    if (name === 'min') return Math.min(...given)
    if (name === 'max') return Math.max(...given)
    return name === 'clamp' && given.length === 3 ? Math.max(given[0]!, Math.min(given[1]!, given[2]!)) : NaN
  }
}

function ofWindow(unit: string): number {
  return /^[sld]?v(?:w|h|i|b|min|max)$/.test(unit) ? 10 : NaN
}
