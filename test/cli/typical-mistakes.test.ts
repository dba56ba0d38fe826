// What a new user gets wrong. Each message has the place, the cause and the remedy.
import { describe, expect, test } from '@jest/globals'
import { apiServer } from '../support/api-server.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const IMPORT = "import { byCursor, http, onePage, pipeline } from 'SLUICE'\n"

describe('an error of a pipeline file shows the line', () => {
  /** A file, and what `sluice list` prints about it. */
  const WRONG: Readonly<Record<string, { readonly file: string; readonly error: RegExp; readonly excerpt: string }>> = {
    'pipelines/option.ts': {
      file: `${IMPORT}export default http('https://api.example', {\n  rate: '10/s',\n  timeuot: '5s',\n})\n`,
      error:
        /option\.ts:4:3: http\("https:\/\/api\.example"\): there is no option "timeuot"\. Did you mean "timeout"\? It/,
      excerpt: "  3 |   rate: '10/s',\n  4 |   timeuot: '5s',\n    |   ^",
    },
    'pipelines/syntax.ts': {
      file: "const a: string = 'x'\nexport default a(\n",
      error: /syntax\.ts:2 could not be loaded: SyntaxError: Expression expected\. Correct it; --verbose shows/,
      excerpt: "  1 | const a: string = 'x'\n  2 | export default a(\n",
    },
    'pipelines/plain.mjs': {
      file: "const a = 'x' 'y'\n",
      error: /plain\.mjs:1:15 could not be loaded: SyntaxError: /,
      excerpt: "  1 | const a = 'x' 'y'\n    |               ^",
    },
    'pipelines/missing.ts': {
      file: "import { x } from '../lib/helper'\nexport default x\n",
      error: /missing\.ts:1:19 .*: there is no file lib\/helper\. An import names the .* Did you mean helper\.ts\?/,
      excerpt: "  1 | import { x } from '../lib/helper'\n    |                   ^",
    },
    'pipelines/package.ts': {
      file: "import { z } from 'zodd'\nexport default z\n",
      error: /package\.ts:1:19 .*: the package zodd is not installed\. Install it: npm install zodd/,
      excerpt: "  1 | import { z } from 'zodd'\n    |                   ^",
    },
    'pipelines/export.ts': {
      file: "import { htpp } from 'sluice'\nexport default htpp\n",
      error: /export\.ts:1:10 .* does not provide an export named 'htpp'\. Did you mean http\?/,
      excerpt: "  1 | import { htpp } from 'sluice'\n    |          ^",
    },
    'pipelines/enum.ts': {
      file: 'enum A { x }\nexport default A\n',
      error: /enum\.ts:1:1 .*enum is not supported.* such as an object for an enum/,
      excerpt: '  1 | enum A { x }\n    | ^',
    },
    'lib/shared.ts': {
      file: "\nimport { http } from 'sluice'\n\nexport const orders = http('https://api.example').get('orders')\n",
      error: /lib\/shared\.ts:4:51: https:\/\/api\.example: the path "orders" must begin with a slash/,
      excerpt: "  4 | export const orders = http('https://api.example').get('orders')\n    |" + ' '.repeat(51) + '^',
    },
  }

  test('with its number, its column and a mark below it', async () => {
    const files = Object.fromEntries(Object.entries(WRONG).map(([name, { file }]) => [name, file]))
    await using here = await project({
      ...files,
      'pipelines/helped.ts': "import { orders } from '../lib/shared.ts'\nexport default orders\n",
      'lib/helper.ts': 'export const x: number = 1\n',
    })
    const { code, stderr } = await here.sluice(['list'])
    expect(code).toBe(2)
    for (const { error, excerpt } of Object.values(WRONG)) {
      expect(stderr).toMatch(error)
      expect(stderr).toContain(`\n\n${excerpt}`)
    }
  }, 30_000)

  test('also where a function of the file makes a wrong request during a run', async () => {
    await using api = await apiServer(() => ({ json: [{ id: 1 }] }))
    await using here = await project({
      'pipelines/p.ts':
        `${IMPORT}const api = http(process.env.API)\n` +
        "const rows = api.get('/a').pages(onePage()).records().flatMap((one) =>\n" +
        "  api.get('b/' + one.id).pages(onePage()).records())\n" +
        "export default pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })\n",
    })
    const { code, stderr } = await callSluice(['run', 'p', '--dry-run'], { cwd: here.cwd, env: { API: api.origin } })
    expect(code).toBe(2)
    expect(stderr).toContain(`pipelines/p.ts:4:7: ${api.origin}: the path "b/1" must begin with a slash`)
  })
})
