import { spawn } from 'node:child_process'
import { open, readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../flow/signals/sleep.ts'
import type { Account } from './account.ts'

/** A running server, by its own lock file. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
}

export interface ServerFiles {
  /** Directory of all its files. */
  readonly home: string
  readonly data: string
  /** Directory with `bin`, `lib` and `share`. */
  readonly programs: string
  /** Version of the programs, `18.4.0`. */
  readonly version: string
  readonly account: Account | undefined
}

/**
 * Returns the server that runs on a data directory, or undefined. `postmaster.pid` is PostgreSQL's lock file. After a
 * crash it may name a process that is gone, or another program with the same id.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lock = await readLock(data)
  return lock?.port && (await isServing(lock.pid, data)) ? { pid: lock.pid, port: lock.port } : undefined
}

/** Reads the lock file: its first line is the process id, its fourth line the port. */
async function readLock(
  data: string,
): Promise<{ readonly pid: number; readonly port: number | undefined } | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const pid = Math.abs(Number(lines[0]))
  return pid ? { pid, port: Number(lines[3]) || undefined } : undefined
}

/**
 * Returns true if a process is the server of a data directory, by its working directory. If that is hidden, the name of
 * the program decides.
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
 * Returns the data directory as an argument for the server's programs. For another account on Linux it is the working
 * directory: that stays accessible, even if a directory above it is open to root only.
 */
export function dataArgument({ data, account }: ServerFiles): string {
  return account && process.platform === 'linux' ? '/proc/self/cwd' : data
}

/** The server gets no other variables, because PGDATA and others would change its settings. */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
}

/** Returns the options that start a program as the server's account. */
export function asAccount({ account }: ServerFiles) {
  return account ? { uid: account.uid, gid: account.gid } : {}
}

/**
 * Starts a server that outlives this process. Returns a function that returns undefined while the server runs, and then
 * how it ended. It ends at once if another server has taken the lock file.
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
      // Ctrl-C in a terminal must not reach the server.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      // PostgreSQL refuses to start if a stale lock file names a process id that another program has now. It ignores
      // the id of its grandparent.
      env: { ...serverEnvironment, ...(stale && { PG_GRANDPARENT_PID: String(stale.pid) }) },
    },
  )
  let end: string | undefined
  child.once('error', (error) => (end = error.message))
  child.once('exit', (code, signal) => (end ??= `it ended with ${signal ?? `code ${code}`}`))
  child.unref()
  return () => end
}

/** Stops the server and its sessions, and waits until its process has ended. */
export async function stop({ pid }: Postmaster, data: string, timeoutMs = 60_000): Promise<void> {
  process.kill(pid, 'SIGINT')
  for (let waited = 0; waited < timeoutMs && (await isServing(pid, data)); waited += 20) await sleep(20)
}
