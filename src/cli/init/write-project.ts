import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import { manifestText, type Manifest, type ProjectPackages } from './manifest.ts'
import type { ProjectFile } from './project-files.ts'

/** What happened to the files of a project. */
export interface WrittenProject {
  readonly written: readonly string[]
  /** Files that existed, and were not changed. */
  readonly kept: readonly string[]
  /** What was added to a package.json that existed. */
  readonly added: readonly string[]
  /** True if package.json says that files are CommonJS, in which no pipeline loads. */
  readonly isCommonJs: boolean
}

/** Writes files that do not exist. Adds to package.json what it lacks. */
export async function writeProject(
  folder: string,
  files: readonly ProjectFile[],
  { name, packages }: { readonly name: string; readonly packages: ProjectPackages },
): Promise<WrittenProject> {
  const manifest = join(folder, 'package.json')
  const existing = await readManifest(manifest)
  const { text, added } = manifestText(existing && (await withoutNpmsOwn(folder, existing)), name, packages)
  if (!existing || added.length > 0) await writeFile(manifest, text)
  const { written, kept } = await writeFiles(folder, files)
  ;(existing ? kept : written).unshift('package.json')
  return {
    written,
    kept,
    added: existing ? added : [],
    isCommonJs: existing?.['type'] === 'commonjs' && !added.includes('type'),
  }
}

/**
 * Returns package.json without what `npm init` writes into every one: a test that fails, and CommonJS, in which no
 * pipeline loads. CommonJS stays where there is a file that may need it.
 */
async function withoutNpmsOwn(folder: string, manifest: Manifest): Promise<Manifest> {
  const { type, scripts, ...others } = manifest
  const { test, ...otherScripts } = (scripts ?? {}) as Manifest
  if (typeof test !== 'string' || !test.includes('no test specified')) return manifest
  const isEmpty = !(await hasCode(folder))
  return { ...others, ...(!(isEmpty && type === 'commonjs') && { type }), scripts: otherScripts }
}

/** True if a folder, or one inside it, has a file whose meaning the type of its project decides. */
async function hasCode(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true })
  if (entries.some((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name))) return true
  for (const entry of entries) {
    const isOwn = entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')
    if (isOwn && (await hasCode(join(folder, entry.name)))) return true
  }
  return false
}

/** Writes files that do not exist. */
async function writeFiles(
  folder: string,
  files: readonly ProjectFile[],
): Promise<{ readonly written: string[]; readonly kept: string[] }> {
  const written: string[] = []
  const kept: string[] = []
  for (const { path, text, isSecret = false } of files) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    const isNew = await writeNew(file, text, isSecret ? 0o600 : 0o666)
    ;(isNew ? written : kept).push(path)
  }
  return { written, kept }
}

/** Returns package.json, or undefined if there is none. */
export async function readManifest(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new UsageError(`${file}: this is no JSON. Correct the file, or move it away`, { cause })
  }
}

/** Returns false if the file exists. */
async function writeNew(file: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx', mode })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
