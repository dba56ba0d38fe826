// Shows that the alert rules and the dashboard of deploy/ fit the server: promtool checks and tests the rules, and a
// real Prometheus scrapes a server while it runs the demo pipeline, and answers each query of the dashboard.
// `npm run dashboards` needs Prometheus: `apt-get install prometheus`, or its folder on the PATH.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDemoApi } from '../../src/cli/demo/start-demo-api.ts'
import { freePort } from '../../src/database/embedded/free-port.ts'
import { Postgres } from '../kill/postgres.ts'
import { queriesOf, type Dashboard } from './queries.ts'

const ROOT = join(import.meta.dirname, '../..')
const DEMO = join(ROOT, 'pipelines/demo.ts')
const RULES = join(ROOT, 'deploy/prometheus/alerts.yml')

await using opened = new AsyncDisposableStack()

/** Runs a program to its end, with its output shown. */
async function run(program: string, ...args: string[]): Promise<void> {
  const [code] = (await once(spawn(program, args, { stdio: 'inherit' }), 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}`)
}

/** Starts a program that is stopped at the end. */
function start(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
  opened.defer(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
  })
}

/** Repeats a question until it has an answer. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 1; attempt <= 240; attempt += 1) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
    await sleep(500)
  }
  throw new Error(`${what}: not within two minutes`)
}

const getJson = async (url: string): Promise<unknown> => (await fetch(url)).json()

await run('promtool', 'check', 'rules', RULES)
await run('promtool', 'test', 'rules', join(import.meta.dirname, 'alerts.test.yml'))

const postgres = opened.use(await Postgres.open())
const api = opened.use(await startDemoApi({ port: 0 }))
const folder = await mkdtemp(join(tmpdir(), 'sluice-prometheus-'))
opened.defer(() => rm(folder, { recursive: true, force: true }))
const [port, prometheusPort] = [await freePort(), await freePort()]
const server = `http://127.0.0.1:${port}`
const prometheus = `http://127.0.0.1:${prometheusPort}`

start(
  process.execPath,
  [join(ROOT, 'src/cli/main.ts'), 'serve', DEMO, '--port', String(port), '--database', postgres.url],
  { SLUICE_DEMO_API: api.origin },
)
const configuration = {
  global: { scrape_interval: '1s', evaluation_interval: '1s' },
  rule_files: [RULES],
  scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
}
// JSON is YAML.
await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(configuration))
start('prometheus', [
  `--config.file=${folder}/prometheus.yml`,
  `--storage.tsdb.path=${folder}/data`,
  `--web.listen-address=127.0.0.1:${prometheusPort}`,
  '--log.level=warn',
])

interface Answer {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly data: { readonly result: readonly { readonly value: readonly [time: number, value: string] }[] }
}
const query = async (expression: string): Promise<Answer> =>
  (await getJson(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`)) as Answer

await until('the first scrape', async () => (await query('up{job="sluice"} == 1')).data.result[0])
for (const run of [1, 2, 3]) {
  const started = await fetch(`${server}/api/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ pipeline: 'demo', ...(run > 1 && { full: true }) }),
  })
  if (started.status !== 202) throw new Error(`the run was refused: ${await started.text()}`)
  const { run: id } = (await started.json()) as { readonly run: string }
  const ended = await until(`run ${id}`, async () => {
    const found = (await getJson(`${server}/api/runs/${id}`)) as { readonly status: string }
    return found.status === 'running' ? undefined : found
  })
  if (ended.status !== 'done') throw new Error(`run ${id} has failed: ${JSON.stringify(ended)}`)
  await until(`run ${id} in Prometheus`, async () => (await query(`sum(sluice_runs_total) >= ${run}`)).data.result[0])
  console.log(`run ${id} of the demo pipeline has ended, and Prometheus knows it`)
}

const dashboard = JSON.parse(await readFile(join(ROOT, 'deploy/grafana/sluice.json'), 'utf8')) as Dashboard
let wrong = 0
for (const { panel, expression } of queriesOf(dashboard)) {
  const { status, error, data } = await query(expression)
  if (status === 'error') wrong += 1
  const first = data?.result[0]?.value[1] ?? 'no data'
  console.log(`${panel.padEnd(30)} ${error ?? `${data.result.length} series, ${first}`}`)
}
const { data } = (await getJson(`${prometheus}/api/v1/rules`)) as {
  readonly data: { readonly groups: readonly { readonly rules: readonly { name: string; health: string }[] }[] }
}
const rules = data.groups.flatMap((group) => group.rules)
const ill = rules.filter(({ health }) => health !== 'ok')
console.log(`${rules.length} rules, ${ill.length} of them with an error ${ill.map(({ name }) => name).join(', ')}`)
if (wrong + ill.length > 0) throw new Error(`${wrong} queries and ${ill.length} rules failed`)
console.log('all of it holds')
