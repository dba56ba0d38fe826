// One run of a pipeline with bad input, for the tests of its errors.
import { expect } from '@jest/globals'
import type { Report } from '../../../src/model/report.ts'
import type { ApiHandler, ApiServer } from '../../support/api-server.ts'
import { urlOf } from '../../support/database.ts'
import { callSluice } from './call.ts'
import { project, type Ended } from './command.ts'

export const TOKEN = 'tok_9f8e7d6c5b4a'

const pipeline = `
import { bearer, byCursor, http, pipeline, secret } from 'SLUICE'

const api = http(process.env.API, { auth: bearer(secret('API_TOKEN')), attempts: 1, timeout: '2s' })
export default pipeline('bad', {
  streams: { rows: api.get('/rows').pages(byCursor('after', 'next')).records('rows').into('t.rows', { key: 'id' }) },
})
`

/** Six pages of two rows each. `before` is called with the number of a page before the response. */
export const pages =
  (before: (page: number) => Promise<void> | void = () => {}, text = 'row'): ApiHandler =>
  async ({ query }) => {
    const page = Number(query.get('after') ?? 1)
    await before(page)
    return {
      json: {
        rows: [
          { id: page * 2, name: text },
          { id: page * 2 + 1, name: text },
        ],
        next: page < 6 ? page + 1 : null,
      },
    }
  }

export const files = {
  'pipelines/bad.ts': pipeline,
  'pipelines/throws.ts': `${pipeline}\nconst settings = JSON.parse('{"token": "${TOKEN}"')\nexport { settings }\n`,
  'pipelines/tells.ts': `throw new Error(\`no settings for \${process.env.API_TOKEN}\`)`,
}

/** Runs the pipeline and returns the error, after checking that no stack and no secret was printed. */
export async function fault(
  api: ApiServer,
  database: string,
  {
    words = ['bad'],
    env = {},
    code = 1,
  }: { words?: readonly string[]; env?: Readonly<Record<string, string>>; code?: number } = {},
): Promise<{ error: string; report: Report | undefined }> {
  await using here = await project(files)
  const ended = await callSluice(['run', ...words, '--json', '--batch-rows', '4'], {
    cwd: here.cwd,
    env: { API: api.origin, API_TOKEN: TOKEN, DATABASE_URL: database, ...env },
  })
  const { stdout, stderr } = ended
  expect({ code: ended.code, stderr }).toMatchObject({ code })
  for (const text of [stdout, stderr]) {
    expect(text).not.toMatch(/^ +at /m)
    expect(text).not.toContain(TOKEN)
    for (const password of ['hush-hush', /^postgres:\/\/[^:]+:([^@]+)@/.exec(urlOf('postgres'))![1]!])
      expect(text).not.toContain(password)
  }
  const report = reportOf(ended)
  // The line of the file may follow.
  const error = report ? Object.values(report.streams)[0]!.error : stderr.split('\n')[0]
  expect(error).toBeDefined()
  expect(error).not.toContain('\n')
  // Each error but a plain one of usage has a code at its end.
  if (code !== 2) expect(error).toMatch(/ \[[A-Z_]+\]$/)
  return { error: error!.replace(/ \[[A-Z_]+\]$/, ''), report }
}

const reportOf = ({ stdout }: Ended): Report | undefined =>
  stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Report)
