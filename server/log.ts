import { pino, type Logger } from 'pino'

/** The server's log: JSON lines on standard output. What could carry a secret is cut out wherever it stands. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['*.cookie', '*.authorization', '*.password', '*.token', '*.secret', 'err.config', 'err.connectionString'],
      censor: '[redacted]',
    },
  })
}
