/* oxlint-disable typescript/no-unsafe-assignment -- Answers are compared as they came. */
import { expect, test } from '@jest/globals'
import { pipeline, run } from '../../src/index.ts'
import { rig, rows, until, watch } from './support.ts'

test('records that were announced as deleted are shown by metrics, run, slice and summary', async () => {
  await using served = await rig({
    pipelines: (origin) => [
      pipeline('shop', {
        streams: {
          rows: rows(origin)
            .deleted(({ id }) => id % 10 === 3)
            .into('t.rows', { key: 'id', deleted: 'keep' }),
        },
      }),
    ],
  })
  using watcher = await watch(served.server)
  await run(served.pipeline, { database: served.test.url, environment: {} })
  await until(() => watcher.events.some(({ type }) => type === 'run.finished'))
  const counts = { fetched: 30, inserted: 20, deleted: 10 }
  expect((await served.get('/api/runs/1')).json).toMatchObject({ counts, details: [{ counts }] })
  expect((await served.get('/api/slices')).json.slices).toMatchObject([{ counts }])
  const [stream] = (await served.get('/api/summary')).json.pipelines[0].streams
  expect(stream).toMatchObject({ runs: [{ counts }], findings: [{ kind: 'deleted', isProblem: false }] })
  expect((await served.get('/metrics')).text).toContain(
    'sluice_rows_total{pipeline="shop",stream="rows",outcome="deleted"} 10\n',
  )
})
