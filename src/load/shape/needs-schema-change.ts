import type { SchemaChange } from './schema-change.ts'

/** The answer of `encode` to a page that its table has no place for yet. */
export class NeedsSchemaChange {
  readonly change: SchemaChange
  constructor(need: SchemaChange) {
    this.change = need
  }
}
