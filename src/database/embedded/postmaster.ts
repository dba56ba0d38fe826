import { spawn } from 'node:child_process'
import { open, readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../flow/signals/sleep.ts'
import type { Account } from './account.ts'

/** A running server, as its own lock file tells of it. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
}

export interface ServerFiles {
  /** Holds everything of the server's. */
  readonly home: string
  readonly data: string
  /** Directory with `bin`, `lib` and `share`. */
  readonly programs: string
  /** Of the programs, `18.4.0`. */
  readonly version: string
  readonly account: Account | undefined
}

/**
 * The server that runs on a data directory, whoever started it; undefined where there is none.
 * `postmaster.pid` is PostgreSQL's own lock file: a file left by a crash names a process that is gone, or by now
 * another program.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lock = await readLock(data)
  return lock?.port && (await isServing(lock.pid, data)) ? { pid: lock.pid, port: lock.port } : undefined
}

/** The first line of the lock file is the process, the fourth the port. */
async function readLock(
  data: string,
): Promise<{ readonly pid: number; readonly port: number | undefined } | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const pid = Math.abs(Number(lines[0]))
  return pid ? { pid, port: Number(lines[3]) || undefined } : undefined
}

/**
 * A server's processes have its data directory as their own; where that is hidden from us, the program's name has to
 * do.
 */
export async function isServing(pid: number, data: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  if (process.platform !== 'linux') return true
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
  if (name.trim() !== 'postgres') return false
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(data))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}

/**
 * The data directory as the server's own process may name it. For another account on Linux this is its working
 * directory, which stays open to it whatever the directories above say: the product's `.sluice` often lies below one
 * that only root may enter.
 */
export function dataArgument({ data, account }: ServerFiles): string {
  return account && process.platform === 'linux' ? '/proc/self/cwd' : data
}

/** Nothing of our environment belongs to the server: PGDATA and its like would lead it astray. */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
}

/** How to start one of the server's programs as its account. */
export function asAccount({ account }: ServerFiles) {
  return account ? { uid: account.uid, gid: account.gid } : {}
}

/**
 * Start a server that outlives us. Answers what has become of it: undefined while it runs, else how it ended; another
 * one that was quicker to take the lock file makes it end at once.
 */
export async function launch(
  files: ServerFiles,
  port: number,
  settings: Readonly<Record<string, string>>,
): Promise<() => string | undefined> {
  const stale = await readLock(files.data)
  await using log = await open(join(files.home, 'log'), 'a', 0o600)
  if (files.account) await log.chown(files.account.uid, files.account.gid)
  const all = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings }
  const child = spawn(
    join(files.programs, 'bin', 'postgres'),
    ['-D', dataArgument(files), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    {
      ...asAccount(files),
      cwd: files.data,
      // Ctrl-C in a terminal is for us alone.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      // A stale lock file may name a process that lives again as something else; PostgreSQL would refuse to start
      // because of it.
      env: { ...serverEnvironment, ...(stale && { PG_GRANDPARENT_PID: String(stale.pid) }) },
    },
  )
  let end: string | undefined
  child.once('error', (error) => (end = error.message))
  child.once('exit', (code, signal) => (end ??= `it ended with ${signal ?? `code ${code}`}`))
  child.unref()
  return () => end
}

/** Ask the server to stop, ending all its sessions, and wait until it is gone. */
export async function stop({ pid }: Postmaster, data: string, patienceMs = 60_000): Promise<void> {
  process.kill(pid, 'SIGINT')
  for (let waited = 0; waited < patienceMs && (await isServing(pid, data)); waited += 20) await sleep(20)
}
