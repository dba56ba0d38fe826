import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Database } from '../../src/database/database.ts'
import { administer, urlOf } from './database.ts'

const run = promisify(execFile)

/** A tablespace on a small disk that is soon full. The disk is real, so the server gets the real error. */
export interface SmallDisk extends AsyncDisposable {
  readonly tablespace: string
}

/** Returns true if this process may mount a disk: only root may, and not in every container. */
export function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const place = mkdtempSync(join(tmpdir(), 'sluice-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'ignore' })
    execFileSync('umount', [place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmdirSync(place)
  }
}

/** Mounts the disk. Drop its tables, or their database, before it is disposed of. */
export async function smallDisk({ megabytes }: { readonly megabytes: number }): Promise<SmallDisk> {
  await using made = new AsyncDisposableStack()
  const place = await mkdtemp(join(tmpdir(), 'sluice-disk-'))
  made.defer(() => rm(place, { recursive: true, force: true }))
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place])
  made.defer(async () => void (await run('umount', [place])))
  const { uid, gid } = await serverOwner()
  await chown(place, uid, gid)
  await chmod(place, 0o700)
  const tablespace = `small_${randomBytes(6).toString('hex')}`
  await administer(`create tablespace ${tablespace} location '${place}'`)
  made.defer(() => administer(`drop tablespace ${tablespace}`))
  const kept = made.move()
  return { tablespace, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Returns the user of the server, the owner of its data directory, which may be named as a relative path. */
async function serverOwner(): Promise<{ readonly uid: number; readonly gid: number }> {
  await using server = new Database({ url: urlOf('postgres'), max: 1 })
  await using connection = await server.connection()
  const [row] = await connection.query<{ place: string; pid: number }>(
    "select current_setting('data_directory') as place, pg_backend_pid() as pid",
  )
  return await stat(row!.place.replace('/proc/self/', `/proc/${row!.pid}/`))
}
