import { crc32 } from 'node:zlib'
import { fromBufferPromise, type Entry } from 'yauzl'
import { messageOf } from '../../value/error.ts'
import { BrokenBodyError } from './record-parser.ts'

export interface ZipMember {
  readonly name: string
  /** Unpacks it. The checksum is checked at the end. Throws a `BrokenBodyError`. */
  readonly read: () => AsyncGenerator<Buffer, void, undefined>
}

/** Yields the files of an archive whose names match, in its order. Throws a `BrokenBodyError`. */
export async function* zipMembers(archive: Buffer, pattern: string | undefined): AsyncGenerator<ZipMember> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true, validateEntrySizes: true }).catch(
    (cause: unknown) => {
      // The directory of an archive stands at its end.
      throw new BrokenBodyError(`a zip archive that cannot be read: ${messageOf(cause)}`, { isCut: true, cause })
    },
  )
  const names: string[] = []
  let isFound = false
  for await (const entry of zip.eachEntry()) {
    const { fileName: name } = entry
    if (name.endsWith('/')) continue
    if (names.length < 20) names.push(name)
    if (pattern !== undefined && !matches(name, pattern)) continue
    isFound = true
    if (entry.isEncrypted())
      throw new BrokenBodyError(`a zip archive whose member ${JSON.stringify(name)} is encrypted`)
    yield { name, read: () => unpacked(entry, () => zip.openReadStreamPromise(entry)) }
  }
  if (isFound) return
  throw new BrokenBodyError(
    `a zip archive without a member ${JSON.stringify(pattern ?? '*')}; it has ${names.join(', ') || 'none'}`,
  )
}

async function* unpacked(
  { fileName, crc32: stated }: Entry,
  open: () => Promise<AsyncIterable<Buffer>>,
): AsyncGenerator<Buffer, void, undefined> {
  let sum = 0
  try {
    for await (const chunk of await open()) {
      sum = crc32(chunk, sum)
      yield chunk
    }
  } catch (cause) {
    throw new BrokenBodyError(
      `a zip archive whose member ${JSON.stringify(fileName)} cannot be unpacked: ${messageOf(cause)}`,
      { cause },
    )
  }
  if (sum !== stated)
    throw new BrokenBodyError(
      `a zip archive whose member ${JSON.stringify(fileName)} has another checksum than it states`,
    )
}

/** `*` in a pattern stands for any characters. */
function matches(name: string, pattern: string): boolean {
  const [first = '', ...others] = pattern.split('*')
  if (others.length === 0) return name === pattern
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of others.slice(0, -1)) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  const last = others.at(-1) ?? ''
  return name.length - last.length >= at && name.endsWith(last)
}
