// Writes what was found as a pipeline file.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from '../model/errors.ts'
import type { Found, FoundStream } from './found.ts'
import { apiText } from './write/write-api.ts'
import { singular, typeName, variableName } from './write/names.ts'
import { bodyType } from './write/write-paging.ts'
import { commentLines, LINE } from './write/text.ts'
import { entryText, streamText, type StreamNames } from './write/write-stream.ts'
import { declarationOf } from './write/write-type.ts'

/** Words that a file may import from 'sluice'. */
const WORDS = (
  'apiKey asNumber baseUrl basic bearer byContinue byCursor byHeader byLastRecord byLinkHeader byNextUrl ' +
  'byOffset byPage clientCredentials csv formatTime fromMembers fromResources fromRows http inHeader isoDate ' +
  'json ndjson onePage path pipeline secret since unix unixMs until utc xml zip'
).split(' ')

/**
 * Returns the text of a pipeline file. It type-checks if each stream's key, cursor and parent name fields that its
 * record's type has.
 *
 * @example
 * await writePipeline(pipelineText(found), { file: 'pipelines/shop.ts' })
 */
export function pipelineText(found: Found): string {
  const names = namesOf(found)
  const types = Object.entries(found.types ?? {}).map(([name, type]) => declarationOf(name, type))
  const records = found.streams.flatMap((stream) => recordDeclarations(stream, names))
  const streams = found.streams.map((stream) => {
    const parent = stream.parent && names.get(stream.parent.stream)
    return streamText(stream, nameOf(stream, names), parent)
  })
  const entries = found.streams.map((stream) => `    ${entryText(stream, nameOf(stream, names), found)},`)
  const code = [
    ...new Set([...types, ...records]),
    `const api = ${apiText(found)}`,
    ...streams,
    `export default pipeline('${found.name}', {\n  streams: {\n${entries.join('\n')}\n  },\n})`,
  ].join('\n\n')
  const comment = [
    ...(found.about ?? []).flatMap((line) => commentLines(line, '//')),
    ...(found.questions ?? []).flatMap((question) => commentLines(`QUESTION: ${question}`, '//')),
  ]
  return `${[...comment, importsOf(code)].join('\n')}\n\n${code}\n`
}

/** Writes a file, and its folder. Throws a UsageError if the file exists, unless `force` is true. */
export async function writePipeline(
  text: string,
  { file, force = false }: { readonly file: string; readonly force?: boolean },
): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  try {
    await writeFile(file, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    throw Error.isError(error) && 'code' in error && error.code === 'EEXIST' ? existingFile(file) : error
  }
}

/** The error for a file that must not be written over. `remedy` names options of the command. */
export const existingFile = (file: string, remedy = 'Choose another file by --out, or add --force'): UsageError =>
  new UsageError(`${file} exists, and was not written over. ${remedy}`)

type Names = ReadonlyMap<string, StreamNames>

function namesOf(found: Found): Names {
  const types = new Set(Object.keys(found.types ?? {}))
  const variables = new Set<string>()
  const names = new Map<string, StreamNames>()
  for (const stream of found.streams) {
    const record = recordName(stream, types)
    types.add(record)
    const body = typeName(`${record}-page`, types)
    types.add(body)
    const variable = variableName(stream.name, variables)
    variables.add(variable)
    const item = variableName(singular(variable), variables)
    variables.add(item)
    names.set(stream.name, { variable, item, record, body })
  }
  return names
}

/** Streams may share a record type of `types`. */
function recordName({ name, record, recordName }: FoundStream, types: ReadonlySet<string>): string {
  if (record.kind === 'named') return record.name
  return typeName(recordName ?? name, types)
}

function nameOf({ name }: FoundStream, names: Names): StreamNames {
  const found = names.get(name)
  if (!found) throw new Error(`the stream ${name} has no names`)
  return found
}

function recordDeclarations(stream: FoundStream, names: Names): string[] {
  const { record, body } = nameOf(stream, names)
  const own = stream.record.kind === 'named' ? [] : [declarationOf(record, stream.record)]
  const type = bodyType(stream.paging, stream.records, { kind: 'named', name: record })
  return [...own, declarationOf(body, type)]
}

/** Returns the import of the words that the code uses, outside of texts and comments. */
function importsOf(code: string): string {
  const bare = code.replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/\/.*|\/\*[^]*?\*\/|`[^`]*`/g, "''")
  const uses = (word: string): boolean => new RegExp(String.raw`(^|[^\w.$])${word}\b(?!\??:)`).test(bare)
  const words = WORDS.filter(uses)
  const all = [...words, ...(/\bDecimal\b/.test(bare) ? ['type Decimal'] : [])]
  const line = `import { ${all.join(', ')} } from 'sluice'`
  return line.length <= LINE ? line : `import {\n${all.map((word) => `  ${word},`).join('\n')}\n} from 'sluice'`
}
