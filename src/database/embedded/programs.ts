import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseError } from '../../model/errors.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'

const run = promisify(execFile)

/** Directories that only root can write and all accounts can read. */
const SHARED_DIRECTORIES = ['/var/cache/sluice', '/var/lib/sluice', '/opt/sluice']

/**
 * Returns a directory of the programs that the account can enter: the installed one, or a copy if that lies below a
 * directory which is closed to other accounts, such as `/root`.
 */
export async function reachablePrograms(
  { directory, version }: Binaries,
  account: Account | undefined,
): Promise<string> {
  if (!account || (await mayEnter(directory, account))) return directory
  for (const parent of SHARED_DIRECTORIES) {
    const copy = join(parent, `postgres-${version}`)
    try {
      if ((await stat(copy).catch(() => undefined)) === undefined) await copyTo(directory, copy)
      return copy
    } catch (error) {
      if (parent === SHARED_DIRECTORIES.at(-1)) {
        throw new DatabaseError(
          `${directory}: the embedded PostgreSQL cannot run from here as ${account.name}, and never runs as root; ` +
            'open the directories above to other accounts (chmod o+x), or set DATABASE_URL',
          { cause: error },
        )
      }
    }
  }
  return directory
}

async function copyTo(directory: string, copy: string): Promise<void> {
  const draft = `${copy}.${randomBytes(6).toString('hex')}`
  await mkdir(dirname(copy), { recursive: true })
  await chmod(dirname(copy), 0o755)
  try {
    await cp(directory, draft, { recursive: true, verbatimSymlinks: true })
    await run('chmod', ['-R', 'go+rX,go-w', draft])
    await rename(draft, copy).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster. Its copy is the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function mayEnter(path: string, { uid, gid }: Account): Promise<boolean> {
  for (let directory = join(path, 'bin'); ; directory = dirname(directory)) {
    const { mode, uid: owner, gid: group } = await stat(directory)
    if ((mode & executeBit(owner === uid, group === gid)) === 0) return false
    if (directory === dirname(directory)) return true
  }
}

function executeBit(isOwner: boolean, isGroup: boolean): number {
  if (isOwner) return 0o100
  return isGroup ? 0o010 : 0o001
}
