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

/**
 * Returns what to do about a name that is no pipeline: the pipeline with a similar name, else the stream of that name.
 *
 * @param streams the streams of each known pipeline
 */
export function noPipelineRemedy(
  unknown: string,
  streams: ReadonlyMap<string, readonly string[]>,
  { orFile = false }: { readonly orFile?: boolean } = {},
): string {
  const near =
    nearest(unknown, streams.keys()) ??
    [...streams].filter(([, names]) => names.includes(unknown)).map(([name]) => `${name}.${unknown}`)[0]
  return near === undefined ? `Give one of these names${orFile ? ', or a file' : ''}` : `Did you mean ${near}?`
}
