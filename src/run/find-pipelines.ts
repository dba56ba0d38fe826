import { readdir, stat } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Pipeline } from '../define/pipeline.ts'
import { settle } from '../flow/settle.ts'
import { UsageError } from '../model/errors.ts'
import { toError } from '../value/error.ts'

export interface FoundPipeline {
  readonly pipeline: Pipeline
  /** As it was given or found, relative to the working directory. */
  readonly file: string
  /** The streams that were named, as in `billing.customers`; undefined: all. */
  readonly streams?: readonly string[]
}

export interface FindOptions {
  /** Where names are looked for. @default 'pipelines' */
  readonly folder?: string
  /** @default process.cwd() */
  readonly cwd?: string
}

const extensions = new Set(['.ts', '.mts', '.js', '.mjs'])

/**
 * The pipelines that words on a command line mean: `NAME`, `NAME.STREAM`, or a file. No word: all of the folder. One
 * that is wrong fails all.
 */
export async function findPipelines(words: readonly string[], options: FindOptions = {}): Promise<FoundPipeline[]> {
  const {
    found,
    failed: [failed],
  } = await tryPipelines(words, options)
  if (failed) throw failed
  return found
}

/** The same, with what could not be found or loaded beside what could. */
export async function tryPipelines(
  words: readonly string[],
  { folder = 'pipelines', cwd = process.cwd() }: FindOptions = {},
): Promise<{ found: FoundPipeline[]; failed: Error[] }> {
  const looking =
    words.length === 0
      ? await inFolder(folder, cwd)
      : words.map((word) => (isFile(word) ? importPipeline(word, cwd) : byName(word, folder, cwd)))
  const { done, failed } = await settle(looking)
  const faults = failed.map((fault) => toError(fault))
  const merged = mergedByFile(done)
  const twice = merged.find(({ pipeline, file }) =>
    merged.some((other) => other.pipeline.name === pipeline.name && other.file !== file),
  )
  if (twice) faults.push(sameNameError(merged.filter(({ pipeline }) => pipeline.name === twice.pipeline.name)))
  return { found: merged, failed: faults }
}

function sameNameError(found: readonly FoundPipeline[]): UsageError {
  const files = found.map(({ file }) => file).join(' and ')
  const name = found[0]?.pipeline.name ?? ''
  return new UsageError(`${files} both define the pipeline '${name}', and would share its cursors: rename one`)
}

const isFile = (word: string): boolean => extensions.has(extname(word))

/** `billing.customers billing.invoices` is one run of two streams, and `billing billing.invoices` one of all. */
function mergedByFile(all: readonly FoundPipeline[]): FoundPipeline[] {
  const byFile = new Map<string, FoundPipeline>()
  for (const found of all) {
    const before = byFile.get(found.file)
    if (!before) byFile.set(found.file, found)
    else if (before.streams && found.streams)
      byFile.set(found.file, { ...found, streams: [...new Set([...before.streams, ...found.streams])] })
    else byFile.set(found.file, { pipeline: found.pipeline, file: found.file })
  }
  return [...byFile.values()]
}

async function byName(word: string, folder: string, cwd: string): Promise<FoundPipeline> {
  const [name = '', ...rest] = word.split('.')
  const found = await named(name, folder, cwd)
  if (rest.length === 0) return found
  const stream = rest.join('.')
  const names = Object.keys(found.pipeline.streams)
  if (!names.includes(stream)) throw new UsageError(`${name} has no stream '${stream}': it has ${names.join(', ')}`)
  return { ...found, streams: [stream] }
}

async function named(name: string, folder: string, cwd: string): Promise<FoundPipeline> {
  // The file of that name first: another file that does not load shall not stand in the way.
  for (const extension of extensions) {
    const file = join(folder, name + extension)
    if (!(await isThere(resolve(cwd, file)))) continue
    const found = await importPipeline(file, cwd)
    if (found.pipeline.name === name) return found
  }
  const { done, failed } = await settle(await inFolder(folder, cwd))
  const found = done.filter(({ pipeline }) => pipeline.name === name)
  if (found.length > 1) throw sameNameError(found)
  if (found[0]) return found[0]
  const names = done.map(({ pipeline }) => pipeline.name).join(', ') || 'none'
  const others =
    failed.length > 0
      ? `; ${failed.length} ${failed.length === 1 ? 'file does' : 'files do'} not load, see sluice list`
      : ''
  throw new UsageError(
    `There is no pipeline '${name}' in ${folder}/ (found: ${names}${others}). Give one of these names, or a file`,
  )
}

async function inFolder(folder: string, cwd: string): Promise<Promise<FoundPipeline>[]> {
  let names: string[]
  try {
    names = await readdir(resolve(cwd, folder))
  } catch (cause) {
    throw new UsageError(
      `There is no folder ${folder}/ here (${cwd}). Put pipelines there, give a file, or begin with: sluice demo`,
      { cause },
    )
  }
  const files = names.filter((name) => isFile(name) && !name.endsWith('.d.ts') && !name.endsWith('.d.mts')).toSorted()
  if (files.length === 0)
    throw new UsageError(
      `There is no pipeline in ${folder}/ (${cwd}). Put a file there that ends with \`export default pipeline('name', { streams: { … } })\``,
    )
  return files.map((name) => importPipeline(join(folder, name), cwd))
}

async function importPipeline(file: string, cwd: string): Promise<FoundPipeline> {
  const path = resolve(cwd, file)
  const shown = relative(cwd, path) || file
  if (!(await isThere(path))) throw new UsageError(`${shown}: there is no such file here (${cwd})`)
  let module: { readonly default?: unknown }
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (cause) {
    const remedy = isModuleTypeError(cause)
      ? 'Its package is CommonJS: add "type": "module" to its package.json'
      : 'Correct it; --verbose shows the stack'
    throw new UsageError(`${placeIn(cause, path, shown)} could not be loaded: ${faultOf(cause)}. ${remedy}`, { cause })
  }
  if (!isPipeline(module.default))
    throw new UsageError(
      `${shown} has no pipeline as its default export: end it with \`export default pipeline('name', { streams: { … } })\``,
    )
  return { pipeline: module.default, file: shown }
}

/** True if Node read a module as CommonJS, as in a package that `npm init -y` made. */
const isModuleTypeError = (error: unknown): boolean =>
  error instanceof SyntaxError &&
  /^Cannot use import statement outside a module|^Unexpected token 'export'/.test(error.message)

/** The file, with the line where it threw. */
function placeIn(error: unknown, path: string, shown: string): string {
  const stack = Error.isError(error) ? (error.stack ?? '') : ''
  const at = stack.indexOf(`${path}:`)
  const [, line] = at < 0 ? [] : (/^:(\d+)/.exec(stack.slice(at + path.length)) ?? [])
  return line === undefined ? shown : `${shown}:${line}`
}

function faultOf(error: unknown): string {
  if (!Error.isError(error)) return `it threw ${String(error)}, which is no error`
  const named = error.name === 'Error' || error instanceof UsageError ? '' : `${error.name}: `
  return `${named}${error.message.split('\n')[0]}`.replace(/\.$/, '')
}

/** By its members, not by its class: the file may import another copy of this package. */
const isPipeline = (value: unknown): value is Pipeline =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'streams' in value &&
  typeof value.streams === 'object' &&
  value.streams !== null

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true
