import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AccountsPipeline, Pipeline } from '../define/pipeline.ts'
import { settle } from '../flow/settle.ts'
import { withoutAccount } from '../model/account.ts'
import { UsageError } from '../model/errors.ts'
import { toError } from '../value/error.ts'
import { nearest } from '../value/nearest.ts'
import { expandAccounts, hasAccounts, type ExpandOptions } from './accounts/expand-accounts.ts'
import { loadError } from './load-error.ts'
import { noPipelineRemedy, noStreamText } from './no-stream-text.ts'
import { isFile, isPipelineFile, PIPELINE_ENDINGS } from './pipeline-file.ts'

export interface FoundPipeline {
  readonly pipeline: Pipeline
  /** Relative to the working directory. */
  readonly file: string
  /** The streams that were named, as in `billing.customers`. @default all */
  readonly streams?: readonly string[]
}

/** The accounts of pipelines that have several, and how they are read. */
export interface FindOptions extends ExpandOptions {
  /** The folder in which names are looked up. @default 'pipelines' */
  readonly folder?: string
  /** @default process.cwd() */
  readonly cwd?: string
}

/**
 * Returns the pipelines that the words of a command line name: `NAME`, `NAME.STREAM`, `NAME@ACCOUNT`, or a file.
 * Without words, returns all pipelines of the folder; a pipeline of several accounts as one pipeline for each. Throws
 * if one of them is missing or does not load.
 */
export async function findPipelines(words: readonly string[], options: FindOptions = {}): Promise<FoundPipeline[]> {
  const {
    found,
    failed: [failed],
  } = await tryPipelines(words, options)
  if (failed) throw failed
  return found
}

/** Returns the pipelines that could be loaded, and the errors of the others. */
export async function tryPipelines(
  words: readonly string[],
  { folder = 'pipelines', cwd = process.cwd(), ...expand }: FindOptions = {},
): Promise<{ found: FoundPipeline[]; failed: Error[] }> {
  const looking =
    words.length === 0
      ? await inFolder(folder, cwd)
      : words.map((word) => (isFile(word) ? importPipeline(word, cwd) : byName(word, folder, cwd)))
  const { done, failed } = await settle(looking)
  const taken = namesTaken(done)
  const expanded = await settle(done.map((loaded) => expandedOf(loaded, expand, words.length > 0)))
  const found = mergedByPipeline(expanded.done.flatMap((one) => one.found))
  const errors = [
    ...[...failed, ...expanded.failed].map((error) => toError(error)),
    ...expanded.done.flatMap((one) => one.failed),
    ...taken,
  ]
  // Without an error a command would do nothing, and end as if all were well.
  if (expand.accounts && found.length === 0 && errors.length === 0)
    errors.push(new UsageError(`There is no pipeline with accounts, such as ${expand.accounts.join(', ')}`))
  return { found, failed: errors }
}

/** A pipeline file, and what a word has chosen of it. */
interface Loaded {
  readonly definition: Pipeline | AccountsPipeline
  readonly file: string
  readonly account?: string
  readonly stream?: string
}

/** Returns the pipelines of a file: one, or one for each account. */
async function expandedOf(
  { definition, file, account, stream }: Loaded,
  options: ExpandOptions,
  isNamed: boolean,
): Promise<{ found: FoundPipeline[]; failed: readonly Error[] }> {
  if (!hasAccounts(definition)) {
    if (account !== undefined || (options.accounts && isNamed))
      throw new UsageError(`${definition.name} has no accounts. Name it without an account`)
    // All pipelines for one account are those that have accounts.
    if (options.accounts) return { found: [], failed: [] }
    return { found: [{ pipeline: definition, file, ...chosenStream(definition, stream) }], failed: [] }
  }
  const { pipelines, failed } = await expandAccounts(definition, {
    ...options,
    accounts: account === undefined ? options.accounts : [account],
  })
  return { found: pipelines.map((pipeline) => ({ pipeline, file, ...chosenStream(pipeline, stream) })), failed }
}

function chosenStream({ name, streams }: Pipeline, stream: string | undefined): Pick<FoundPipeline, 'streams'> {
  if (stream === undefined) return {}
  const names = Object.keys(streams)
  if (!names.includes(stream)) throw new UsageError(noStreamText(name, [stream], names), { explanation: 'NO_PIPELINE' })
  return { streams: [stream] }
}

/** Returns an error for each name that several files have. */
function namesTaken(loaded: readonly Loaded[]): UsageError[] {
  const byName = Map.groupBy(loaded, ({ definition }) => definition.name)
  return [...byName.values()]
    .map((same) => [...new Map(same.map((one) => [one.file, one])).values()])
    .filter((same) => same.length > 1)
    .map(nameTaken)
}

function nameTaken(same: readonly Loaded[]): UsageError {
  const files = same.map(({ file }) => file).join(' and ')
  const name = same[0]?.definition.name
  return new UsageError(
    `${files} have the same name '${name}', and would share its cursors. Rename one of the pipelines`,
  )
}

/** `billing.customers billing.invoices` is one pipeline with two streams; `billing billing.invoices` is all of it. */
function mergedByPipeline(all: readonly FoundPipeline[]): FoundPipeline[] {
  const byName = new Map<string, FoundPipeline>()
  for (const found of all) {
    const { name } = found.pipeline
    const before = byName.get(name)
    if (!before) byName.set(name, found)
    else if (before.streams && found.streams)
      byName.set(name, { ...found, streams: [...new Set([...before.streams, ...found.streams])] })
    else byName.set(name, { pipeline: found.pipeline, file: found.file })
  }
  return [...byName.values()]
}

async function byName(word: string, folder: string, cwd: string): Promise<Loaded> {
  const [name = '', ...rest] = word.split('.')
  const base = withoutAccount(name)
  return {
    ...(await named(base, folder, cwd)),
    ...(base !== name && { account: name.slice(base.length + 1) }),
    ...(rest.length > 0 && { stream: rest.join('.') }),
  }
}

async function named(name: string, folder: string, cwd: string): Promise<Loaded> {
  // The file of that name comes first, so that a broken file elsewhere does no harm.
  for (const ending of PIPELINE_ENDINGS) {
    const file = join(folder, name + ending)
    if (!(await isFileThere(resolve(cwd, file)))) continue
    const found = await importPipeline(file, cwd)
    if (found.definition.name === name) return found
  }
  const { done, failed } = await settle(await inFolder(folder, cwd))
  const [found, ...others] = done.filter(({ definition }) => definition.name === name)
  if (found && others.length > 0) throw nameTaken([found, ...others])
  if (found) return found
  const streams = new Map(done.map(({ definition }) => [definition.name, streamNames(definition)]))
  const names = [...streams.keys()].join(', ') || 'none'
  const broken =
    failed.length > 0
      ? `; ${failed.length} ${failed.length === 1 ? 'file does' : 'files do'} not load, see sluice list`
      : ''
  throw new UsageError(
    `There is no pipeline '${name}' in ${folder}/ (found: ${names}${broken}). ` +
      noPipelineRemedy(name, streams, { orFile: true }),
    { explanation: 'NO_PIPELINE' },
  )
}

/** The streams of a pipeline of several accounts are not known before its accounts are. */
const streamNames = (definition: Loaded['definition']): string[] =>
  hasAccounts(definition) ? [] : Object.keys(definition.streams)

async function inFolder(folder: string, cwd: string): Promise<Promise<Loaded>[]> {
  let names: string[]
  try {
    names = await readdir(resolve(cwd, folder))
  } catch (cause) {
    throw new UsageError(
      `There is no folder ${folder}/ here (${cwd}). Make a project: sluice init. ` +
        `Make a pipeline for an API: sluice probe URL. Or give a file, or try: sluice demo`,
      { cause, explanation: 'NO_PIPELINE' },
    )
  }
  const files = names.filter(isPipelineFile).toSorted()
  if (files.length === 0)
    throw new UsageError(
      `There is no pipeline in ${folder}/ (${cwd}). ` +
        'Make one for an API: sluice probe URL. Make a project with an example: sluice init. ' +
        "Or put a file there that ends with `export default pipeline('name', { streams: { … } })`",
      { explanation: 'NO_PIPELINE' },
    )
  return files.map((name) => importPipeline(join(folder, name), cwd))
}

async function importPipeline(file: string, cwd: string): Promise<Loaded> {
  const path = resolve(cwd, file)
  const shown = relative(cwd, path) || file
  if (!(await isFileThere(path)))
    throw new UsageError(`${shown}: there is no such file here (${cwd})${await similarFile(path, cwd)}`, {
      explanation: 'NO_PIPELINE',
    })
  let module: { readonly default?: unknown }
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (cause) {
    throw await loadError(cause, { path, shown, cwd })
  }
  if (!isPipeline(module.default))
    throw new UsageError(
      `${shown} has no pipeline as its default export: ` +
        "end it with `export default pipeline('name', { streams: { … } })`",
      { explanation: 'FILE_NOT_LOADED' },
    )
  return { definition: module.default, file: shown }
}

/** Names the file of the same folder that a misspelled one probably means; '' if none is near. */
async function similarFile(path: string, cwd: string): Promise<string> {
  const folder = dirname(path)
  const near = nearest(basename(path), (await readdir(folder).catch(() => [])).filter(isFile))
  return near === undefined ? '' : `. Did you mean ${relative(cwd, join(folder, near))}?`
}

/** Looks at the members and not at the class: the file may import another copy of this package. */
const isPipeline = (value: unknown): value is Pipeline | AccountsPipeline =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  typeof value.name === 'string' &&
  'streams' in value &&
  ((typeof value.streams === 'object' && value.streams !== null) ||
    (typeof value.streams === 'function' && 'for' in value))

const isFileThere = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isFile() === true
