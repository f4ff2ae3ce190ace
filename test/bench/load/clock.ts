/** Microseconds of the machine's own clock, which all processes share: Linux counts it from the start of the machine. */
export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + nanoseconds / 1e3
}
