import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { ownVersion, packageRoot } from '../../src/observe/package-root.ts'

test('the root of this package holds its manifest, its command, its migrations and its page', () => {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
  expect(ownVersion()).toBe(manifest.version)
  for (const file of ['bin/sluice.cjs', 'migrations/0001_runs.sql', 'src/server/page/index.html'])
    expect(readFileSync(join(packageRoot(), file), 'utf8')).not.toBe('')
})
