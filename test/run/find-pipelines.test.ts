import { mkdir, mkdtemp, mkdtempDisposable, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findPipelines, tryPipelines } from '../../src/run/find-pipelines.ts'

const INDEX = join(import.meta.dirname, '../../src/index.ts')
const file = (name: string, ...streams: string[]): string => `
import { http, onePage, pipeline } from ${JSON.stringify(INDEX)}
const rows = http('http://x').get('/').pages(onePage()).records()
const into = (stream) => rows.into('t.' + stream, { key: 'id' })
export default pipeline('${name}', {
  streams: { ${streams.map((stream) => `${stream}: into('${stream}')`).join(', ')} },
})
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

  test('without words all pipelines of the folder are found; else those of a name, a stream or a file', async () => {
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

  test('a pipeline that is named several times is found once', async () => {
    expect(await found(['a.two', 'a.one', 'a.two'])).toEqual([['a', 'pipelines/a.ts', ['two', 'one']]])
    expect(await found(['a.two', 'a'])).toEqual([['a', 'pipelines/a.ts']])
  })

  test('a missing pipeline is named in the error, with those that were found', async () => {
    await expect(found(['c'])).rejects.toThrow(
      "There is no pipeline 'c' in pipelines/ (found: a, renamed). Give one of these names, or a file",
    )
    await expect(found(['renmaed'])).rejects.toThrow('(found: a, renamed). Did you mean renamed?')
    await expect(found(['two'])).rejects.toThrow('(found: a, renamed). Did you mean a.two?')
    await expect(found(['./pipelines/aa.ts'])).rejects.toThrow(/aa\.ts: .*\. Did you mean pipelines\/a\.ts\?$/)
    await expect(found(['a.three'])).rejects.toThrow(/a has no stream 'three': it has one, two$/)
    await expect(found(['a.twoo'])).rejects.toThrow("a has no stream 'twoo': it has one, two. Did you mean two?")
    await expect(found(['./none.ts'])).rejects.toThrow('none.ts: there is no such file here')
    await expect(found([], 'nowhere')).rejects.toThrow('There is no folder nowhere/ here')
    await expect(found([], 'other')).rejects.toThrow('There is no pipeline in other/')
  })

  test('a file that does not load is named with its line, and does no harm to pipelines found by name', async () => {
    await expect(found([], 'mixed')).rejects.toThrow(
      'mixed/broken.ts:2:1 could not be loaded: ReferenceError: nothing is not defined. ' +
        'Correct it; --verbose shows the stack',
    )
    expect(await found(['a'], 'mixed')).toEqual([['a', 'mixed/a.ts']])
    const { found: loaded, failed } = await tryPipelines([], { cwd, folder: 'mixed' })
    expect(loaded.map(({ pipeline }) => pipeline.name)).toEqual(['a'])
    expect(failed.map(({ message }) => message)).toEqual([
      expect.stringContaining('broken.ts'),
      expect.stringContaining("has no pipeline as its default export: end it with `export default pipeline('name'"),
    ])
  })

  test('two files with the same name are refused, also if the name is given', async () => {
    const message = "twice/a.ts and twice/b.ts have the same name 'same', and would share its cursors. Rename one"
    await expect(found([], 'twice')).rejects.toThrow(message)
    await expect(found(['same'], 'twice')).rejects.toThrow(message)
    await expect(found(['same.one'], 'twice')).rejects.toThrow(message)
  })
})

/** Runs `sluice check --offline` in a real folder: Jest loads modules in its own way. */
async function checkProject(packageJson: object, name: string): Promise<string> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-cjs-'))
  await mkdir(join(folder.path, 'pipelines'))
  await writeFile(join(folder.path, 'package.json'), JSON.stringify(packageJson))
  await writeFile(join(folder.path, 'pipelines', name), file('a', 'one'))
  const bin = join(import.meta.dirname, '../../bin/sluice.cjs')
  const ended = promisify(execFile)(process.execPath, [bin, 'check', '--offline'], { cwd: folder.path })
  const { stdout, stderr } = await ended.catch((error: { stdout: string; stderr: string }) => error)
  return stdout + stderr
}

describe('a project of npm init -y, whose package.json has the type commonjs', () => {
  test('gets an error that names "type": "module", without a warning of Node', async () => {
    const output = await checkProject({ name: 'project', type: 'commonjs' }, 'a.ts')
    expect(output).toContain(
      'pipelines/a.ts:2:1 could not be loaded: SyntaxError: Cannot use import statement outside a module. ' +
        'Node reads the file as CommonJS: set "type": "module" in package.json, or name the file .mts',
    )
    expect(output).not.toMatch(/\(node:\d+\)|MODULE_TYPELESS|Failed to load the ES module/)
  }, 30_000)

  test.each([
    [{ name: 'project', type: 'module' }, 'a.ts'],
    [{ name: 'project' }, 'a.ts'],
    [{ name: 'project', type: 'commonjs' }, 'a.mts'],
  ])(
    '%j loads pipelines/%s',
    async (packageJson, name) => {
      const output = await checkProject(packageJson, name)
      expect(output).toContain(`a: pipelines/${name}, 1 stream`)
      expect(output).not.toMatch(/\(node:\d+\)/)
    },
    30_000,
  )
})
