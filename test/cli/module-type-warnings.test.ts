import { expect, test } from '@jest/globals'
import { project } from './support/command.ts'

const pipeline = `
import { http, onePage, pipeline } from 'SLUICE'
const rows = http('http://127.0.0.1:1').get('/rows').pages(onePage()).records()
export default pipeline('mine', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
`

test.each([
  ['as a module in a package without a type', '{}', { code: 0, stderr: '' }],
  // `npm init -y` makes such a package.
  [
    'not at all in a CommonJS package, and the error shows the line',
    '{"type":"commonjs"}',
    {
      code: 2,
      stderr: expect.stringMatching(
        /^pipelines\/mine\.ts\S* could not be loaded: .+"type": "module" in package\.json.*\n\n  2 \| .+\n.+\^\n\n$/,
      ),
    },
  ],
])("a pipeline file loads %s, without a warning of Node's own", async (_, packageJson, ended) => {
  await using here = await project({ 'package.json': packageJson, 'pipelines/mine.ts': pipeline })
  expect(await here.sluice(['list'])).toMatchObject(ended)
})
