import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Summary } from '../../src/cli/output/summary-file.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

// `sluice run` as cron starts it: without a terminal, and with its output sent as mail.

const one = (name: string, path: string): string => `
import { byPage, http, pipeline } from 'SLUICE'
const rows = http(process.env.API).get('${path}').pages(byPage('page')).records()
export default pipeline('${name}', { streams: { rows: rows.into('t.${name}', { key: 'id' }) } })
`

test('a run with --quiet prints one line, and --summary-file has its report and errors', async () => {
  await using api = await apiServer(({ path, query }) => {
    if (path === '/bad') return { status: 404, json: {} }
    if (path === '/stuck' && query.get('page') === '2') return { hang: true }
    return { json: query.get('page') === '1' ? [{ id: 1 }, { id: 2 }] : [] }
  })
  await using here = await project({
    'pipelines/good.ts': one('good', '/good'),
    'pipelines/bad.ts': one('bad', '/bad'),
    'pipelines/stuck.ts': one('stuck', '/stuck'),
  })
  await using database = await testDatabase()
  const sluice = (...words: string[]) =>
    callSluice(words, { cwd: here.cwd, env: { API: api.origin, DATABASE_URL: database.url } })
  const summary = async (): Promise<Summary> =>
    JSON.parse(await readFile(join(here.cwd, 'out.json'), 'utf8')) as Summary

  const done = await sluice('run', 'good', '--quiet', '--summary-file', 'out.json')
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toMatch(/^good: done in \d+\.\d s, run \d+: 2 read, 2 inserted\n$/)
  expect(await summary()).toMatchObject({
    exitCode: 0,
    errors: [],
    reports: [{ pipeline: 'good', status: 'done', streams: { rows: { counts: { inserted: 2 } } } }],
  })

  const failed = await sluice('run', 'good', 'bad', '--quiet', '--summary-file', 'out.json')
  expect(failed).toMatchObject({ code: 1 })
  expect(failed.stdout).toMatch(/^good: done in .+ 2 read, 2 unchanged\n$/)
  expect(failed.stderr).toMatch(/^bad: failed after \d+\.\d s, run \d+: 0 read; rows failed: .*answered 404.*\n$/)
  expect(await summary()).toMatchObject({
    exitCode: 1,
    reports: [
      { pipeline: 'good', status: 'done' },
      { pipeline: 'bad', status: 'failed' },
    ],
  })

  const late = await sluice('run', 'stuck', '--quiet', '--timeout', '1s', '--summary-file', 'out.json')
  expect(late).toMatchObject({ code: 1, stdout: '' })
  expect(late.stderr).toMatch(
    /^stuck: interrupted after .+, run \d+: 2 read, 2 inserted; The run took longer than 1s\n$/,
  )
  expect(await summary()).toMatchObject({ exitCode: 1, reports: [{ pipeline: 'stuck', status: 'interrupted' }] })

  // A run that cannot start.
  const none = await callSluice(['run', 'good', '--summary-file', 'out.json', '--quiet'], {
    cwd: here.cwd,
    env: { API: api.origin, DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1' },
  })
  expect(none).toMatchObject({ code: 1, stdout: '' })
  expect(await summary()).toMatchObject({
    exitCode: 1,
    reports: [],
    errors: [{ pipeline: 'good', message: expect.stringContaining('127.0.0.1:1') }],
  })
  expect(await sluice('run', 'nothing', '--summary-file', 'out.json')).toMatchObject({ code: 2 })
  expect(await summary()).toMatchObject({
    exitCode: 2,
    errors: [{ message: expect.stringContaining("There is no pipeline 'nothing'") }],
  })
  expect((await readdir(here.cwd)).toSorted()).toEqual(['out.json', 'pipelines'])
})

test('options that contradict each other are refused before anything runs', async () => {
  await using here = await project({ 'pipelines/good.ts': one('good', '/good') })
  for (const wrong of [
    ['--quiet', '--json'],
    ['--quiet', '--dry-run'],
    ['--summary-file', 'x.json', '--dry-run'],
    ['--summary-file', 'missing/x.json'],
  ]) {
    const ended = await callSluice(['run', 'good', ...wrong], {
      cwd: here.cwd,
      env: { API: 'http://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1' },
    })
    expect({ wrong, ...ended }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(wrong[0]!) })
  }
})

test('--quiet counts the records that were not stored, filtered and duplicate ones too', async () => {
  await using api = await apiServer(({ query }) => ({ json: query.get('page') === '1' ? RECORDS : [] }))
  await using here = await project({
    'pipelines/few.ts': one('few', '/few').replace(
      '.into(',
      `.filter(({ keep }) => keep).map((row) => { if (row.id === 3) throw new Error('no'); return row }).into(`,
    ),
  })
  await using database = await testDatabase()
  const env = { API: api.origin, DATABASE_URL: database.url }
  const { stdout } = await callSluice(['run', 'few', '--quiet'], { cwd: here.cwd, env })
  expect(stdout).toMatch(/: 5 read, 1 inserted, 2 filtered, 1 duplicate, 1 rejected\n$/)
})

const RECORDS = [
  { id: 1, keep: true },
  { id: 1, keep: true },
  { id: 2, keep: false },
  { id: 3, keep: true },
  { id: 4, keep: false },
]
