import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import earthquakes from '../../pipelines/earthquakes.ts'
import { command, ROOT } from '../cli/support/command.ts'
import { checkEarthquakes } from './earthquakes.example.ts'

const urlOf = (path: string): string => pathToFileURL(join(ROOT, path)).href

test('the example passes in Jest', async () => {
  await expect(checkEarthquakes(earthquakes)).resolves.toBeUndefined()
})

test('in node:test it passes, and fails with a readable difference for a pipeline that is broken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-node-test-'))
  try {
    const source = await readFile(join(ROOT, 'pipelines/earthquakes.ts'), 'utf8')
    const broken = source.replace('latitude: geometry?.coordinates[1]', 'latitude: geometry?.coordinates[0]')
    expect(broken).not.toBe(source)
    await writeFile(join(folder, 'broken.ts'), broken)
    await writeFile(
      join(folder, 'main.ts'),
      `import { resolveOwnPackage } from '${urlOf('src/cli/own-package.ts')}'
import { test } from 'node:test'
resolveOwnPackage()
const { checkEarthquakes } = await import('${urlOf('test/testing/earthquakes.example.ts')}')
const { default: earthquakes } = await import('${urlOf('pipelines/earthquakes.ts')}')
const { default: broken } = await import('./broken.ts')
test('as it is', () => checkEarthquakes(earthquakes))
test('broken', () => checkEarthquakes(broken))
`,
    )
    const ended = await command(process.execPath, ['--test-reporter=tap', 'main.ts'], { cwd: folder })
    expect(ended).toMatchObject({ code: 1, stderr: '' })
    expect(ended.stdout).toContain('\nok 1 - as it is')
    expect(ended.stdout).toContain('\nnot ok 2 - broken')
    expect(ended.stdout).toMatch(/toYieldSome\(\): of 25 rows, none is like/)
    expect(ended.stdout).toMatch(/the nearest is \{ id: 'us2', .*latitude: -70\.5/)
  } finally {
    await rm(folder, { recursive: true })
  }
})
