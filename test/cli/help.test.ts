import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { ROOT, sluice } from './support/command.ts'

test('help loads nothing of what commands do, so it comes at once', async () => {
  const traces = await mkdtemp(join(tmpdir(), 'sluice-help-'))
  try {
    expect(
      await sluice(['run', '--help'], { cwd: traces, env: { NODE_V8_COVERAGE: join(traces, 'loaded') } }),
    ).toMatchObject({ code: 0 })
    const [file] = await readdir(join(traces, 'loaded'))
    const { result } = JSON.parse(await readFile(join(traces, 'loaded', file!), 'utf8')) as {
      result: { url: string }[]
    }
    const root = pathToFileURL(join(ROOT, '/')).href
    const ours = result
      .map(({ url }) => url)
      .filter((url) => url.startsWith(root))
      .map((url) => url.slice(root.length))
    expect(ours.filter((url) => !url.startsWith('node_modules/commander/')).toSorted()).toEqual([
      'src/cli/main.ts',
      'src/cli/own-package.ts',
      'src/cli/program/help-examples.ts',
      'src/cli/program/program.ts',
      'src/observe/package-root.ts',
    ])
  } finally {
    await rm(traces, { recursive: true, force: true })
  }
})
