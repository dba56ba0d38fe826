// JSON:API: a resource becomes a flat record, as `fromResources()` makes it.
import type { Schema, Schemas } from './schema.ts'

/** Returns the schema of the flat record of a resource: `type`, `id`, its attributes and its relationships. */
export function flatResource(resource: Schema, schemas: Schemas): Schema {
  const attributes = schemas.member(resource, 'attributes')
  const relationships = schemas.member(resource, 'relationships')
  const properties = new Map<string, unknown>([
    ['type', resource.properties.get('type')],
    ['id', resource.properties.get('id')],
    ...attributes.properties,
    // A relationship is the included resource, or its type and id.
    ...[...relationships.properties.keys()].map((name): [string, unknown] => [name, {}]),
  ])
  return {
    kinds: ['object'],
    isNullable: false,
    properties,
    required: new Set(['type', 'id', ...attributes.required]),
    words: resource.words,
  }
}
