import { readdir, stat } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Pipeline } from '../define/pipeline.ts'
import { UsageError } from '../model/errors.ts'

export interface FoundPipeline {
  readonly pipeline: Pipeline
  /** As it was given or found, relative to the working directory. */
  readonly file: string
}

export interface FindOptions {
  /** Where names are looked for. @default 'pipelines' */
  readonly folder?: string
  /** @default process.cwd() */
  readonly cwd?: string
}

const extensions = new Set(['.ts', '.mts', '.js', '.mjs'])

/** The pipelines that words on a command line mean: names of pipelines in the folder, or files. No word: all of the folder. */
export async function findPipelines(words: readonly string[], { folder = 'pipelines', cwd = process.cwd() }: FindOptions = {}): Promise<FoundPipeline[]> {
  if (words.length === 0) return inFolder(folder, cwd)
  const found: FoundPipeline[] = []
  for (const word of words) found.push(isFile(word) ? await importPipeline(word, cwd) : await byName(word, folder, cwd))
  return found
}

const isFile = (word: string): boolean => extensions.has(extname(word))

async function byName(name: string, folder: string, cwd: string): Promise<FoundPipeline> {
  // The file of that name first: another file that does not load shall not stand in the way.
  for (const extension of extensions) {
    const file = join(folder, name + extension)
    if (!(await isThere(resolve(cwd, file)))) continue
    const found = await importPipeline(file, cwd)
    if (found.pipeline.name === name) return found
  }
  const all = await inFolder(folder, cwd)
  const found = all.find(({ pipeline }) => pipeline.name === name)
  if (found) return found
  const names = all.map(({ pipeline }) => pipeline.name).join(', ') || 'none'
  throw new UsageError(`There is no pipeline '${name}' in ${folder}/ (found: ${names}). Give one of these names, or a file`)
}

async function inFolder(folder: string, cwd: string): Promise<FoundPipeline[]> {
  let names: string[]
  try {
    names = await readdir(resolve(cwd, folder))
  } catch (cause) {
    throw new UsageError(`There is no folder ${folder}/ here (${cwd}). Put pipelines there, or give a file`, { cause })
  }
  const files = names.filter((name) => isFile(name) && !name.endsWith('.d.ts')).toSorted()
  return Promise.all(files.map((name) => importPipeline(join(folder, name), cwd)))
}

async function importPipeline(file: string, cwd: string): Promise<FoundPipeline> {
  const path = resolve(cwd, file)
  const shown = relative(cwd, path) || file
  if (!(await isThere(path))) throw new UsageError(`${shown}: there is no such file`)
  let module: { readonly default?: unknown }
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (cause) {
    throw new UsageError(`${shown} could not be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (!isPipeline(module.default)) throw new UsageError(`${shown} has no pipeline as its default export: end it with \`export default pipeline('name', { streams: { … } })\``)
  return { pipeline: module.default, file: shown }
}

/** By its members, not by its class: the file may import another copy of this package. */
const isPipeline = (value: unknown): value is Pipeline =>
  typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'streams' in value && typeof value.streams === 'object'

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() === true
