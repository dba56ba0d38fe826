import { integer, object } from './paging-cases.ts'

// Each subtype contains its base, which is one of its subtypes.
const subtypes = Array.from({ length: 20 }, (_, n) => `Sub${n}`)
const schemas = {
  A: { $ref: '#/components/schemas/B' },
  B: { $ref: '#/components/schemas/A' },
  C: { allOf: [{ $ref: '#/components/schemas/C' }], oneOf: [{ $ref: '#/components/schemas/C' }] },
  ...Object.fromEntries(
    subtypes.map((name) => [name, { allOf: [{ $ref: '#/components/schemas/Base' }, object({ [name]: integer })] }]),
  ),
  Base: { ...object({ kind: integer }), oneOf: subtypes.map((name) => ({ $ref: `#/components/schemas/${name}` })) },
  D: object({
    id: integer,
    base: { $ref: '#/components/schemas/Base' },
    a: { $ref: '#/components/schemas/A' },
    c: { $ref: '#/components/schemas/C' },
  }),
  E: { allOf: [{ $ref: '#/components/schemas/D' }, object({ d: { type: 'array', items: { $ref: 'x.json#/F' } } })] },
}
const answer = {
  content: { 'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/E' } } } },
}
/** The description of a list whose types refer to each other in circles, nowhere, and to another file. */
export const CIRCLES = {
  openapi: '3.0.0',
  components: { schemas },
  paths: { '/e': { get: { responses: { 200: answer } } } },
}
