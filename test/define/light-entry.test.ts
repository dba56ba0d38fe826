import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { command, ROOT } from '../cli/support/command.ts'

/** Paths below the repository that a program loads when it imports a pipeline file, as V8 counts them. */
async function loadedBy(pipeline: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-loaded-'))
  try {
    const ownPackage = pathToFileURL(join(ROOT, 'src/cli/own-package.ts')).href
    await writeFile(
      join(folder, 'main.ts'),
      `import { resolveOwnPackage } from '${ownPackage}'\nresolveOwnPackage()\nawait import('${pipeline}')\n`,
    )
    const ended = await command(process.execPath, ['main.ts'], {
      cwd: folder,
      env: { NODE_V8_COVERAGE: join(folder, 'loaded') },
    })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const [file = ''] = await readdir(join(folder, 'loaded'))
    const { result } = JSON.parse(await readFile(join(folder, 'loaded', file), 'utf8')) as { result: { url: string }[] }
    const root = pathToFileURL(join(ROOT, '/')).href
    return result
      .map(({ url }) => url)
      .filter((url) => url.startsWith(root) && url !== ownPackage)
      .map((url) => url.slice(root.length))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test.each(['demo', 'github', 'earthquakes'])(
  'a pipeline file loads the words alone, no engine and no package: %s',
  async (name) => {
    const loaded = await loadedBy(pathToFileURL(join(ROOT, `pipelines/${name}.ts`)).href)
    expect(loaded.filter((path) => path.includes('node_modules'))).toEqual([])
    expect(loaded.filter((path) => !/^src\/(index\.ts$|define|model|value|entry)/.test(path)).toSorted()).toEqual([
      `pipelines/${name}.ts`,
      'src/run/report/report-text.ts',
      'src/server/serve.ts',
    ])
    expect(loaded.length).toBeLessThan(100)
  },
)
