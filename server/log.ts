import { pino, type Logger } from 'pino'

/** The server's log: JSON lines on standard output. What could carry a secret is cut out wherever it stands. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      // `err.client`: the database's driver hangs the whole connection on errors of idle ones.
      paths: [
        '*.cookie',
        '*.authorization',
        '*.password',
        '*.token',
        '*.secret',
        'err.client',
        'err.config',
        'err.connectionString',
      ],
      censor: '[redacted]',
    },
  })
}
