import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino'

/** The server's log: JSON lines, on standard output unless said otherwise. What could carry a secret is cut out wherever it stands. */
export function createLog(level: string, destination: DestinationStream = pino.destination()): Logger {
  const options: LoggerOptions = {
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
        // The database quotes the values of the row that it refused.
        'err.detail',
        'err.config',
        'err.connectionString',
      ],
      censor: '[redacted]',
    },
  }
  return pino(options, destination)
}
