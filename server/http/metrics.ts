import { Histogram, type Registry } from 'prom-client'

export interface HttpMetrics {
  readonly requests: Histogram<'method' | 'route' | 'status'>
}

export function createHttpMetrics(registry: Registry): HttpMetrics {
  return {
    requests: new Histogram({
      name: 'numinex_http_seconds',
      help: 'Time to answer HTTP requests',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers: [registry],
    }),
  }
}
