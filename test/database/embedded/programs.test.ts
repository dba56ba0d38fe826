import { randomBytes } from 'node:crypto'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdtempDisposable, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { findBinaries } from '../../../src/database/embedded/binaries.ts'
import { reachablePrograms } from '../../../src/database/embedded/programs.ts'

const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 }

test('programs below a directory that only root can enter are copied for the server’s account', async () => {
  if (process.getuid?.() !== 0) return
  const { directory } = await findBinaries()
  await using closed = await mkdtempDisposable(join(tmpdir(), 'sluice-closed-'))
  const installed = join(closed.path, 'native')
  await cp(directory, installed, { recursive: true, verbatimSymlinks: true })
  const version = `test-${randomBytes(4).toString('hex')}`
  const both = await Promise.all([
    reachablePrograms({ directory: installed, version }, nobody),
    reachablePrograms({ directory: installed, version }, nobody),
  ])
  const [copy] = both
  try {
    expect(both).toEqual([copy, copy])
    expect(copy).not.toBe(installed)
    const { stdout } = await promisify(execFile)(join(copy, 'bin', 'postgres'), ['--version'], {
      uid: nobody.uid,
      gid: nobody.gid,
      cwd: '/',
    })
    expect(stdout).toMatch(/^postgres \(PostgreSQL\) \d/)
    await chmod(closed.path, 0o755)
    expect(await reachablePrograms({ directory: installed, version }, nobody)).toBe(installed)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
})

test('a user who is not root uses the installed programs', async () => {
  expect(await reachablePrograms({ directory: '/root/closed', version: '18' }, undefined)).toBe('/root/closed')
})
