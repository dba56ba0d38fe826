import { chown, mkdir, readFile, realpath, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError } from '../../model/errors.ts'
import { serverAccount } from './account.ts'
import { findBinaries } from './binaries.ts'
import { chownToServer, makeCluster, urlOf } from './cluster.ts'
import { freePort } from './free-port.ts'
import { UsageLock } from './usage-lock.ts'
import { findPostmaster, launch, stop, type ServerFiles } from './postmaster.ts'
import { reachablePrograms } from './programs.ts'

export interface EmbeddedOptions {
  /** Where it is kept, `.sluice` of the project. */
  readonly dir: string
  /** A crash of the machine loses nothing that was committed; only tests may do without. @default true */
  readonly durable?: boolean
  /** Settings of `postgresql.conf`, if it is us who start it. */
  readonly settings?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedDatabase extends AsyncDisposable {
  /** With the password: not for logs. */
  readonly url: string
}

/** Another process was quicker, the last server's processes are not all gone, or somebody took the port: look again. */
const RETRYABLE_START_ERRORS = /lock file|shared memory block|could not bind|could not create any TCP/

/** A server that recovers from a crash needs its time. */
const START_TIMEOUT_MS = 120_000

/**
 * The PostgreSQL of those who have none: kept in a directory, started by the first who needs it, stopped by the last
 * one who leaves.
 *
 * | what is found | what is done |
 * |---|---|
 * | no data directory | it is made, in one step however many try at once |
 * | no server, or the lock file of one that died | it is started; of several at once PostgreSQL's own lock file lets one through |
 * | a server, of another process or left behind by one that was killed | it is used |
 * | a server that is starting or about to stop | waited for |
 *
 * Who uses it is known to the server itself: each holds a shared lock in a session, and leaves with its connection,
 * even by `kill -9`.
 */
export async function embeddedDatabase({
  dir,
  durable = true,
  settings = {},
  signal,
}: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const files = await serverFiles(resolve(dir))
  await makeCluster(files, { sync: durable })
  const hold = await acquireUsageLock(
    files,
    { ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }), ...settings },
    signal,
  )
  return {
    url: hold.url,
    [Symbol.asyncDispose]: async () => {
      try {
        const server = (await hold.isLast()) ? await findPostmaster(files.data) : undefined
        if (server) await stop(server, files.data)
      } finally {
        await hold.close()
      }
    },
  }
}

async function serverFiles(dir: string): Promise<ServerFiles> {
  const binaries = await findBinaries()
  const home = join(dir, 'postgres')
  const account = await serverAccount(home, dirname(dir))
  await makeDirectories(dir, home).catch((cause: unknown) => {
    throw new DatabaseError(
      `${dir}: the embedded PostgreSQL cannot be kept here (${(cause as Error).message}); let this directory be written to, or set DATABASE_URL`,
      { cause },
    )
  })
  const real = await realpath(home)
  const files = {
    home: real,
    data: join(real, 'data'),
    programs: await reachablePrograms(binaries, account),
    version: binaries.version,
    account,
  }
  await chownToServer(real, files)
  return files
}

/** What root makes in somebody's project belongs to that somebody. */
async function makeDirectories(dir: string, home: string): Promise<void> {
  if ((await mkdir(dir, { recursive: true })) !== undefined) {
    const { uid, gid } = await stat(dirname(dir))
    if (process.getuid?.() === 0) await chown(dir, uid, gid)
    await writeFile(join(dir, '.gitignore'), '*\n')
  }
  await mkdir(home, { recursive: true, mode: 0o700 })
}

async function acquireUsageLock(
  files: ServerFiles,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<UsageLock> {
  const until = Date.now() + START_TIMEOUT_MS
  let ended: (() => string | undefined) | undefined
  for (let starts = 0; ; await sleep(25, { signal })) {
    const server = await findPostmaster(files.data)
    const hold = server && (await UsageLock.acquire(await urlOf(files, server.port), signal))
    if (hold) return hold
    const failed = ended?.()
    const words = failed ? await logTail(files) : ''
    if (failed && !RETRYABLE_START_ERRORS.test(words) && starts >= 3)
      throw new DatabaseError(
        `${files.home}: the embedded PostgreSQL did not start (${failed}): ${words}; remove what hinders it, or set DATABASE_URL`,
      )
    if (!server && (ended === undefined || failed)) {
      await truncateLog(join(files.home, 'log'))
      ended = await launch(files, await freePort(), settings)
      starts += 1
    }
    if (Date.now() > until)
      throw new DatabaseError(
        `${files.home}: the embedded PostgreSQL does not answer: ${await logTail(files)}; end the process named in ${files.data}/postmaster.pid, or set DATABASE_URL`,
      )
  }
}

async function logTail({ home }: ServerFiles): Promise<string> {
  const log = await readFile(join(home, 'log'), 'utf8').catch(() => '')
  return log.trim().split('\n').slice(-3).join(' / ') || 'its log is empty'
}

/** The log of a server that runs for years must not fill the disk. */
async function truncateLog(log: string): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size > 4 << 20) await truncate(log)
}
