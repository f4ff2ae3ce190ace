import type { Model } from './model.ts'

/** The site's models. */
export interface Models {
  /**
   * The model with an id of the `models` table, or with null the default: the one that the environment names, else the
   * oldest of the table, else the offline one. An id that is gone gives the default.
   */
  find(id: string | null): Promise<Model>
}
