import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { completeManifest, readManifest, type ManifestOptions } from './manifest.ts'
import type { ProjectFile } from './project-files.ts'

/** What happened to the files of a project. */
export interface WrittenProject {
  readonly written: readonly string[]
  /** Files that existed, and were not changed. */
  readonly kept: readonly string[]
  /** What was added to a package.json that existed. */
  readonly added: readonly string[]
  /** What has another value in a package.json that existed. */
  readonly replaced: readonly string[]
  /** The script `test` is one that the project had. */
  readonly hasOwnTest: boolean
}

/** Writes files that do not exist. Adds to package.json what it lacks. */
export async function writeProject(
  folder: string,
  files: readonly ProjectFile[],
  options: ManifestOptions,
): Promise<WrittenProject> {
  const manifest = join(folder, 'package.json')
  const existing = await readManifest(manifest)
  const { text, added, replaced, hasOwnTest } = completeManifest(existing, options)
  const isChanged = added.length + replaced.length > 0
  if (!existing || isChanged) await writeFile(manifest, text)
  const { written, kept } = await writeFiles(folder, files)
  if (!existing) written.unshift('package.json')
  else if (!isChanged) kept.unshift('package.json')
  return { written, kept, hasOwnTest, ...(existing ? { added, replaced } : { added: [], replaced: [] }) }
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
