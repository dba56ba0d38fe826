import { expect, test } from '@jest/globals'
import { displayWidth } from '../../src/cli/output/display-width.ts'
import { wrapText } from '../../src/cli/output/wrap-text.ts'
import type { StatusReport } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const pipeline = (name: string, path: string, more = ''): string => `
import { byPage, http, pipeline } from 'SLUICE'
const rows = http(process.env.API).get('${path}').pages(byPage('page')).records().incremental('at')
export default pipeline('${name}', {
  ${more}
  streams: { rows: rows.into('t.${name}', { key: 'id' }), other: rows.into('t.${name}_other', { key: 'id' }) },
})
`

test('sluice status is a table of 80 columns with problems below it, and exits with 1 if there is one', async () => {
  await using api = await apiServer(({ path, query }) =>
    path === '/bad'
      ? { status: 404, json: {} }
      : { json: query.get('page') === '1' ? [{ id: 1, at: '2024-01-01T00:00:00.123456Z' }] : [] },
  )
  await using here = await project({
    'pipelines/good.ts': pipeline('good', '/good', `schedule: { cron: '0 0 1 1 *', zone: 'Europe/Berlin' },`),
    'pipelines/bad.ts': pipeline('a_pipeline_with_a_rather_long_name', '/bad'),
    'broken/broken.ts': 'export default pipeline(',
  })
  await using database = await testDatabase()
  const sluice = (...words: string[]) =>
    callSluice(words, { cwd: here.cwd, env: { API: api.origin, DATABASE_URL: database.url } })
  await sluice('run', '--quiet')

  const good = await sluice('status', 'good')
  expect(good).toMatchObject({ code: 0, stderr: '' })
  expect(good.stdout).toMatch(/^good\.rows +done +\d+ s ago +ended +\d+ d old +1 +0$/m)
  expect(good.stdout).toMatch(/\n2 streams, no problems\. The ledger takes \d+ (?:kB|MB)\.\n$/)

  const all = await sluice('status')
  expect(all).toMatchObject({ code: 1, stderr: '' })
  for (const line of all.stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80)
  // The word about completeness stays where columns have to go.
  expect(all.stdout).toMatch(/^good\.rows .* ended /m)
  expect(all.stdout.replaceAll(/\n {9}/g, ' ')).toMatch(
    /^problem {2}a_pipeline_with_a_rather_long_name\.rows: run \d+ failed: .*answered 404.*never succeeded$/m,
  )
  expect(all.stdout).toMatch(/\n4 streams, 2 problems\. The ledger takes \d+ (?:kB|MB)\.\n$/)

  const one = await sluice('status', 'good.rows', '--json')
  expect(JSON.parse(one.stdout) as StatusReport).toMatchObject({
    ok: true,
    streams: [
      {
        pipeline: 'good',
        stream: 'rows',
        cursor: { value: '2024-01-01T00:00:00.123456Z' },
        schedule: '0 0 1 1 * Europe/Berlin',
      },
    ],
  })
  expect(await sluice('status', 'good', 'broken/broken.ts')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('broken/broken.ts'),
  })
  expect(await sluice('status', '--grace', 'long')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`option '--grace <duration>' argument 'long' is invalid. "long" is no duration`),
  })
})

test('sluice status needs no database if nothing has run yet', async () => {
  await using here = await project({ 'pipelines/good.ts': pipeline('good', '/good') })
  const ended = await callSluice(['status'], { cwd: here.cwd, env: { API: 'http://127.0.0.1:1' } })
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(ended.stdout).toMatch(/^good\.rows +never ran +never/m)
})

test('wrapText breaks a text between words', () => {
  expect(wrapText('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrapText('a wordthatislonger b', 6)).toEqual(['a', 'wordthatislonger', 'b'])
})
