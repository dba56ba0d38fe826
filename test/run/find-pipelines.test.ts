import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findPipelines, tryPipelines } from '../../src/run/find-pipelines.ts'

const INDEX = join(import.meta.dirname, '../../src/index.ts')
const file = (name: string, ...streams: string[]): string => `
import { http, onePage, pipeline } from ${JSON.stringify(INDEX)}
const rows = http('http://x').get('/').pages(onePage()).records()
export default pipeline('${name}', { streams: { ${streams.map((stream) => `${stream}: rows.into('t.${stream}', { key: 'id' })`).join(', ')} } })
`

describe('pipelines', () => {
  let cwd: string
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'sluice-find-'))
    const files = {
      'pipelines/a.ts': file('a', 'one', 'two'),
      'pipelines/b.js': file('renamed', 'rows'),
      'pipelines/types.d.ts': 'x',
      'pipelines/notes.md': 'x',
      'mixed/a.ts': file('a', 'one'),
      'mixed/broken.ts': '\nnothing()',
      'mixed/empty.ts': 'export default 1',
      'twice/a.ts': file('same', 'one'),
      'twice/b.ts': file('same', 'one'),
      'other/README.md': 'x',
    }
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, name)), { recursive: true })
      await writeFile(join(cwd, name), content)
    }
  })
  afterAll(async () => rm(cwd, { recursive: true, force: true }))

  const found = async (words: string[], folder = 'pipelines') =>
    (await findPipelines(words, { cwd, folder })).map(({ pipeline, file, streams }) => [
      pipeline.name,
      file,
      ...(streams ? [streams] : []),
    ])

  test('are all of the folder, by name, by stream, or by file', async () => {
    expect(await found([])).toEqual([
      ['a', 'pipelines/a.ts'],
      ['renamed', 'pipelines/b.js'],
    ])
    expect(await found(['renamed', 'a'])).toEqual([
      ['renamed', 'pipelines/b.js'],
      ['a', 'pipelines/a.ts'],
    ])
    expect(await found(['a.two'])).toEqual([['a', 'pipelines/a.ts', ['two']]])
    expect(await found(['./mixed/a.ts'])).toEqual([['a', 'mixed/a.ts']])
  })

  test('that are named several times are one', async () => {
    expect(await found(['a.two', 'a.one', 'a.two'])).toEqual([['a', 'pipelines/a.ts', ['two', 'one']]])
    expect(await found(['a.two', 'a'])).toEqual([['a', 'pipelines/a.ts']])
  })

  test('that are not there are said by name, with those that are', async () => {
    await expect(found(['c'])).rejects.toThrow(
      "There is no pipeline 'c' in pipelines/ (found: a, renamed). Give one of these names, or a file",
    )
    await expect(found(['a.three'])).rejects.toThrow("a has no stream 'three': it has one, two")
    await expect(found(['./none.ts'])).rejects.toThrow('none.ts: there is no such file here')
    await expect(found([], 'nowhere')).rejects.toThrow('There is no folder nowhere/ here')
    await expect(found([], 'other')).rejects.toThrow('There is no pipeline in other/')
  })

  test('of which one does not load are all refused, unless the others are asked for; its fault has a line', async () => {
    await expect(found([], 'mixed')).rejects.toThrow(
      'mixed/broken.ts:2 could not be loaded: ReferenceError: nothing is not defined. Correct it; --verbose shows the stack',
    )
    expect(await found(['a'], 'mixed')).toEqual([['a', 'mixed/a.ts']])
    const { found: loaded, failed } = await tryPipelines([], { cwd, folder: 'mixed' })
    expect(loaded.map(({ pipeline }) => pipeline.name)).toEqual(['a'])
    expect(failed.map(({ message }) => message)).toEqual([
      expect.stringContaining('broken.ts'),
      expect.stringContaining("has no pipeline as its default export: end it with `export default pipeline('name'"),
    ])
  })

  test('of the same name in two files are refused: they would share cursors', async () => {
    await expect(found([], 'twice')).rejects.toThrow("twice/a.ts and twice/b.ts both define the pipeline 'same'")
  })
})
