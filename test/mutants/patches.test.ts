import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const root = resolve(import.meta.dirname, '../..')
const patches = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.patch'))

// A patch that does not fit proves nothing, and `npm run mutants` is not part of the tests.
test.each(patches)('the mutant %s fits the tree', async (name) => {
  const applied = promisify(execFile)('git', ['apply', '--check', join(import.meta.dirname, name)], { cwd: root })
  await expect(applied).resolves.toMatchObject({ stderr: '' })
})
