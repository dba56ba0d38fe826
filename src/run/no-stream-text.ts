import { nearest } from '../value/nearest.ts'

/** Returns the problem of names that are no streams of a pipeline, with its streams and the one that is meant. */
export function noStreamText(pipeline: string, unknown: readonly string[], names: readonly string[]): string {
  const near = unknown.map((name) => nearest(name, names)).find((name) => name !== undefined)
  const given = unknown.map((name) => `'${name}'`).join(', ')
  return (
    `${pipeline} has no stream ${given}: it has ${names.join(', ') || 'none'}` +
    (near === undefined ? '' : `. Did you mean ${near}?`)
  )
}
