// Runs the tests that touch SQL against a real server of each version of PostgreSQL: `npm run versions`, or some of
// them: `npm run versions -- 14 16 test/load/merge`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Database } from '../../src/database/database.ts'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { cheapPassword } from '../support/cheap-password.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { SERVER } from '../support/database.ts'
import { installServer, SERVERS } from './servers.ts'

/** What is run without a path: the tests whose statements differ by version, if anything does. */
const PATHS = [
  'test/database/(?!embedded)',
  'test/ledger/',
  'test/load/',
  'test/run/sync/',
  'test/run/verify/',
  'test/run/replay/',
  'test/run/(history|mirror|mirror-keeps|deleted|deletions|children-tables|winning-values|lineage)\\.test',
]

const given = process.argv.slice(2)
const paths = given.filter((word) => !/^\d+$/.test(word))
const majors = given.filter((word) => /^\d+$/.test(word)).map(Number)
const unknown = majors.filter((major) => !SERVERS.has(major))
if (unknown.length > 0)
  throw new RangeError(`There is no server of version ${unknown.join(', ')}: choose ${[...SERVERS.keys()].join(', ')}`)

const failed: number[] = []
for (const major of majors.length > 0 ? majors : SERVERS.keys()) if (!(await passes(major))) failed.push(major)
console.log(failed.length === 0 ? 'every version passed' : `FAILED with PostgreSQL ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

async function passes(major: number): Promise<boolean> {
  const binaries = await installServer(major)
  const dir = await mkdtemp(join(dataDirectory(), `sluice-version-${major}-`))
  // Earlier versions enter the folder by its path, as another user.
  await chmod(dir, 0o755)
  try {
    await using server = await embeddedDatabase({ dir, durable: false, binaries, settings: { max_connections: '200' } })
    // Earlier versions cannot make a password cheap.
    if (major >= 16) await cheapPassword(server.url)
    console.log(`PostgreSQL ${await versionOf(server.url)}`)
    return (await jest(server.url)) === 0
  } catch (error) {
    console.error(await readFile(join(dir, 'postgres', 'log'), 'utf8').catch(() => ''))
    throw error
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function versionOf(url: string): Promise<string> {
  await using database = new Database({ url, max: 1 })
  return (await database.one<{ version: string }>(`select current_setting('server_version') as version`)).version
}

async function jest(url: string): Promise<number> {
  const words = ['run', '-s', 'jest', '--', ...(paths.length > 0 ? paths : PATHS)]
  const child = spawn('npm', words, { stdio: 'inherit', env: { ...process.env, [SERVER]: url } })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
