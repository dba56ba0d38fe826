import { createHash } from 'node:crypto'
import type { RecordParser } from '../../../src/http/formats/record-parser.ts'

export interface Parsed {
  readonly records: unknown[]
  readonly envelope: unknown
  /** Of the texts of all records. */
  readonly digest: string
}

/** Gives the parts of a body to a parser and returns all that it finds. */
export async function readAll(parser: RecordParser, parts: readonly Buffer[]): Promise<Parsed> {
  const records: unknown[] = []
  const hash = createHash('sha256')
  const add = (part: Awaited<ReturnType<RecordParser['push']>>): void => {
    part.addTo(hash, 0, part.count)
    records.push(...part.records(0))
  }
  for (const part of parts) add(await parser.push(part))
  add(await parser.end())
  return { records, envelope: parser.envelope, digest: hash.digest('hex') }
}
