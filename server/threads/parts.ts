import type { Logger } from 'pino'
import type { Bus } from '../bus/bus.ts'
import type { Db } from '../store/database.ts'
import type { Renderer } from './render.ts'
import type { Together } from './together.ts'

/** What is done to threads needs these. */
export interface ThreadParts {
  readonly db: Db
  readonly bus: Bus
  readonly render: Renderer
  readonly links: LinkDirectory
  readonly log: Logger
  readonly together: Together
}

/** Where previews of linked pages come from. */
export interface LinkDirectory {
  /** Makes sure that the links are known, in the order given, and returns their ids; new ones are looked up in the background. */
  request(urls: readonly string[]): Promise<string[]>
}
