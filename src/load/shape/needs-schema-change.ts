import type { Need } from './schema-change.ts'

/** The answer of `encode` to a page that its table has no place for yet. */
export class NeedsChange {
  readonly need: Need
  constructor(need: Need) {
    this.need = need
  }
}
