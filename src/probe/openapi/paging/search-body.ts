// Members of an answer outside of its records, by what they say about paging.
import type { Schema, Schemas } from '../schema.ts'
import { isAboutPages, isEnvelope, isLinks } from './names.ts'

export interface BodyMember {
  /** Such as `meta.next_cursor`. */
  readonly at: string
  readonly name: string
  readonly schema: Schema
  /** True within `links` or `_links`, where each member is a URL. */
  readonly isLink: boolean
  /** True within a member such as `meta` or `pagination`. */
  readonly isPaging: boolean
}

const MAX_DEPTH = 4

/** Returns the scalar members of an answer, those that are less deep first. */
export function scalarsOf(body: Schema, schemas: Schemas): BodyMember[] {
  const found: BodyMember[] = []
  let level = [{ schema: body, path: [] as readonly string[], isLink: false, isPaging: false }]
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next: typeof level = []
    for (const outer of level)
      for (const [name, given] of outer.schema.properties) {
        const schema = schemas.read(given)
        const path = [...outer.path, name]
        if (schema.kinds.includes('array')) continue
        if (schema.properties.size === 0) found.push({ ...outer, at: path.join('.'), name, schema })
        else if (isAboutPages(name) || outer.isLink || outer.isPaging || isEnvelope(name))
          next.push({
            schema,
            path,
            isLink: outer.isLink || isLinks(name),
            isPaging: outer.isPaging || isAboutPages(name),
          })
      }
    level = next
  }
  return found
}
