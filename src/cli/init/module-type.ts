// Whether Node reads the code of a project as CommonJS, and with which ending a pipeline is an ES module there.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import { existingFile } from '../../probe/write-pipeline.ts'
import { PIPELINE_ENDINGS } from '../../run/pipeline-file.ts'
import { isNpmsOwn, readManifest, type Manifest } from './manifest.ts'

/** The ending of a module that is written: `.mts` is an ES module in every project. */
export type ModuleEnding = '.ts' | '.mts'

/**
 * Returns the ending of new pipelines in a project as it is: `.mts` if its package.json says that it is of CommonJS, or
 * says nothing while the project has code of CommonJS. The package.json is that of the folder, or of the nearest one
 * above.
 */
export async function endingIn(folder: string): Promise<ModuleEnding> {
  const manifest = await nearestManifest(resolve(folder))
  if (manifest?.['type'] === 'commonjs') return '.mts'
  return manifest && manifest['type'] === undefined && (await hasCommonJs(folder)) ? '.mts' : '.ts'
}

/**
 * Returns true if a project stays one of CommonJS when `sluice init` completes its package.json: it has code of
 * CommonJS, or somebody has chosen that type. What `npm init` writes into every package.json was chosen by nobody.
 */
export async function staysCommonJs(folder: string): Promise<boolean> {
  if ((await nearestManifest(folder))?.['type'] === 'module') return false
  const own = await readManifest(join(folder, 'package.json'))
  return (own?.['type'] === 'commonjs' && !isNpmsOwn(own)) || hasCommonJs(folder)
}

/** Returns the file of a pipeline's name, whatever its ending is: two would have one name. */
export const existingPipeline = (file: string): string | undefined =>
  PIPELINE_ENDINGS.map((ending) => file.replace(/\.m?ts$/, ending)).find((one) => existsSync(one))

interface FileOptions {
  /** The file that somebody has chosen. @default pipelines/NAME with the ending of the project */
  readonly out: string | undefined
  /** It may exist. */
  readonly force: boolean
}

/**
 * Returns the file of a new pipeline in this folder. Throws a UsageError if it exists, unless `force` is true, and if
 * it exists with another ending: that would be another module of the same name.
 */
export async function fileToWrite(name: string, { out, force }: FileOptions): Promise<string> {
  const file = out ?? join('pipelines', name + (await endingIn('.')))
  const existing = out === undefined ? existingPipeline(file) : file
  if (existing === undefined || !existsSync(existing)) return file
  if (!force) throw existingFile(existing)
  if (existing === file) return file
  throw new UsageError(
    `${existing} exists. With ${file} beside it there would be two modules of one pipeline, so nothing was written. ` +
      `Remove ${existing}, or choose another file by --out`,
  )
}

async function nearestManifest(folder: string): Promise<Manifest | undefined> {
  const found = await readManifest(join(folder, 'package.json'))
  return found || dirname(folder) === folder ? found : nearestManifest(dirname(folder))
}

/**
 * True if a folder, or one inside it, has a file that would not be what it is if package.json had the type `module`:
 * one without an import or an export, or TypeScript that the project compiles by its own settings.
 */
async function hasCommonJs(folder: string): Promise<boolean> {
  const compiles = existsSync(join(folder, 'tsconfig.json'))
  const isCommonJs = async (file: string): Promise<boolean> =>
    (compiles && /\.tsx?$/.test(file)) || !MODULE_SYNTAX.test(await readFile(file, 'utf8').catch(() => ''))
  const inside = async (path: string): Promise<boolean> => {
    // A folder that cannot be read is no reason to make no project.
    const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
    for (const entry of entries)
      if (entry.isFile() && HAS_EITHER_TYPE.test(entry.name) && (await isCommonJs(join(path, entry.name)))) return true
    for (const entry of entries) {
      const isOwn = entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')
      if (isOwn && (await inside(join(path, entry.name)))) return true
    }
    return false
  }
  return inside(folder)
}

/** Files whose meaning the type of their package decides; not `.d.ts`, which has none. */
const HAS_EITHER_TYPE = /(?<!\.d)\.[jt]sx?$/

/** The first word of a line. A text or a comment that begins so is taken for it, too. */
const MODULE_SYNTAX = /^[ \t]*(?:import|export)\b(?!\s*[=(]|.*=\s*require\()/m
