/** Reading JSON that was written elsewhere: what is missing or of another type is as if it were empty. */
export type Fields = Readonly<Record<string, unknown>>

export function object(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

export function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : 0
}

export function boolean(value: unknown): boolean {
  return value === true
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
