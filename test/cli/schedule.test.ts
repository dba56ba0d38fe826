import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from '@jest/globals'
import { parseCron } from '../../src/define/cron.ts'
import { sleep } from '../../src/flow/signals/sleep.ts'
import type { ScheduleEvent } from '../../src/run/schedule/schedule-event.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { parsePlainYaml } from '../support/plain-yaml.ts'
import { project, ROOT } from './support/command.ts'

const pipeline = (name: string, schedule: string): string => `
import { bearer, byPage, http, pipeline, secret } from 'SLUICE'
const api = http(process.env.API ?? 'https://api.example', { auth: bearer(secret('SHOP_TOKEN')) })
export default pipeline('${name}', { ${schedule === '' ? '' : `schedule: ${schedule},`} streams: { rows: api.get('/rows').pages(byPage('page')).records().into('t.rows', { key: 'id' }) } })
`
const files = {
  'pipelines/plain.ts': pipeline('plain', `'*/15 * * * *'`),
  'pipelines/Full_One.ts': pipeline(
    'Full_One',
    `{ cron: '30 2 1-7 * SUN', zone: 'Europe/Berlin', jitter: '90s', catchUp: 'none', overlap: 'wait' }`,
  ),
  'pipelines/never.ts': pipeline('never', ''),
  'elsewhere/odd.ts': pipeline('odd', `'0 4 * * 5,7'`),
  '.env': 'SHOP_TOKEN=hidden-token-1\n',
}

describe('sluice schedule --print', () => {
  test('systemd: a service and a timer for each pipeline with a schedule, which systemd-analyze accepts', async () => {
    await using here = await project(files)
    const printed = await here.sluice(['schedule', '--print', 'systemd'])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    expect(printed.stdout.match(/^# ==> .+ <==$/gm)).toEqual(
      ['full-one.service', 'full-one.timer', 'plain.service', 'plain.timer'].map((name) => `# ==> sluice-${name} <==`),
    )
    expect(printed.stdout).not.toContain('hidden-token-1')
    const text = (name: string): string => printed.stdout.split(`# ==> ${name} <==\n`)[1]!.split('\n# ==> ')[0]!
    // Cron takes the first seven days and all Sundays: hence two lines.
    expect(text('sluice-full-one.timer').match(/^OnCalendar=.+$/gm)).toEqual([
      'OnCalendar=*-*-01,02,03,04,05,06,07 02:30:00 Europe/Berlin',
      'OnCalendar=Sun *-*-* 02:30:00 Europe/Berlin',
    ])
    expect(text('sluice-full-one.timer')).toMatch(/^Persistent=false\nRandomizedDelaySec=90$/m)
    expect(text('sluice-plain.timer')).toMatch(/^OnCalendar=\*-\*-\* \*:00,15,30,45:00 UTC\nPersistent=true$/m)
    expect(text('sluice-full-one.service')).toMatch(/^ExecStart=.+ run Full_One --overlap wait --timeout 6h --quiet$/m)
    expect(text('sluice-plain.service')).toContain(`WorkingDirectory=${here.cwd}\n`)
    expect(text('sluice-plain.service')).toMatch(/^TimeoutStartSec=21630$/m)
    expect(text('sluice-plain.service')).toContain('DATABASE_URL, SHOP_TOKEN')

    const into = await here.sluice(['schedule', '--print', 'systemd', '--into', 'units', '--timeout', '30m'])
    expect(into).toMatchObject({ code: 0 })
    const units = (await readdir(join(here.cwd, 'units'))).map((name) => join(here.cwd, 'units', name))
    expect(units).toHaveLength(4)
    if (spawnSync('systemd-analyze', ['--version']).error) return
    const verified = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' })
    expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: '' })
  }, 30_000)

  test('crontab: lines that crontab -T accepts where there is one, each with folder, overlap, timeout and log', async () => {
    await using here = await project(files)
    const printed = await here.sluice(['schedule', '--print', 'crontab', 'plain', 'Full_One', 'elsewhere/odd.ts'])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    const jobs = crontabJobs(printed.stdout)
    expect(jobs.map(({ zone, cron }) => `${zone} ${cron}`)).toEqual([
      'UTC */15 * * * *',
      'UTC 0 4 * * 5,7',
      'Europe/Berlin 30 2 1-7 * SUN',
    ])
    expect(jobs[0]!.command).toMatch(
      /^cd \S+ && mkdir -p \.sluice && \{ \S+ --max-semi-space-size=16 \S+\/bin\/sluice\.cjs run plain --overlap skip --timeout 6h --quiet >>\.sluice\/plain\.log 2>&1 \|\| \{ tail -n 1 \.sluice\/plain\.log; exit 1; \}; \}$/,
    )
    expect(jobs[1]!.command).toContain(' run elsewhere/odd.ts --overlap skip ')
    expect(jobs[2]!.command).toContain('sleep $(( $(od -An -N2 -tu2 /dev/urandom) % 90 )); ')
    // What cron hands to a shell, the shell understands.
    for (const { command } of jobs) expect(spawnSync('sh', ['-n', '-c', command]).status).toBe(0)
    // Where there is none, the strict reading above has to do.
    const { status, error } = spawnSync('crontab', ['-T', '-'], { input: printed.stdout })
    expect(error === undefined ? status : 0).toBe(0)
  }, 30_000)

  test('kubernetes: one CronJob for each, as YAML', async () => {
    await using here = await project(files)
    const printed = await here.sluice([
      'schedule',
      '--print',
      'kubernetes',
      '--image',
      'registry.example/sync:1',
      'Full_One',
      'elsewhere/odd.ts',
    ])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    const [full, odd] = printed.stdout
      .split(/^---$/m)
      .slice(1)
      .map((text) => parsePlainYaml(text))
    expect(full).toMatchObject({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'sluice-full-one' },
      spec: {
        schedule: '30 2 1-7 * SUN',
        timeZone: 'Europe/Berlin',
        concurrencyPolicy: 'Allow',
        startingDeadlineSeconds: 60,
        jobTemplate: {
          spec: {
            backoffLimit: 0,
            activeDeadlineSeconds: 21_660,
            template: {
              spec: {
                restartPolicy: 'Never',
                containers: [
                  {
                    image: 'registry.example/sync:1',
                    workingDir: '/app',
                    args: ['run', 'Full_One', '--overlap', 'wait', '--timeout', '6h'],
                    envFrom: [{ secretRef: { name: 'sluice-env' } }],
                  },
                ],
              },
            },
          },
        },
      },
    })
    // There is no Sunday 7.
    expect(odd).toMatchObject({
      metadata: { name: 'sluice-odd' },
      spec: { schedule: '0 4 * * 0,5', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' },
    })
  }, 30_000)
})

test('what cannot be scheduled is refused with 2', async () => {
  await using here = await project(files)
  for (const [words, message] of [
    [['never'], 'never has no schedule'],
    [['plain.rows'], 'plain.rows: only a whole pipeline can be scheduled, with all of its streams: give plain'],
    [['plain', '--into', 'x'], '--into needs --print'],
    [['plain', '--catch-up', 'some'], 'Allowed choices are all, last, none'],
    [['plain', '--timeout', 'long'], `argument 'long' is invalid. "long" is no duration`],
  ] as const) {
    const ended = await here.sluice(['schedule', ...words], {
      DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1',
    })
    expect({ words, ...ended }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  }
}, 20_000)

interface Running extends Disposable {
  readonly process: ChildProcess
  readonly events: ScheduleEvent[]
  readonly ended: Promise<unknown[]>
}

function start(cwd: string, env: Record<string, string>): Running {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), 'schedule', 'plain'],
    { cwd, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const events: ScheduleEvent[] = []
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as ScheduleEvent))
  // A test that fails leaves no scheduler behind.
  return { process: child, events, ended: once(child, 'exit'), [Symbol.dispose]: () => child.kill('SIGKILL') }
}

test('a scheduler that is killed while it runs a tick leaves it to the next one; one that is asked to stop ends within five seconds, with 0', async () => {
  let isStuck = true
  await using api = await apiServer(({ query }) =>
    query.get('page') === '1' ? { json: [{ id: 1 }] } : isStuck ? { hang: true } : { json: [] },
  )
  await using here = await project(files)
  await using database = await testDatabase()
  const { database: db } = database
  // It was down for hours, so it has something to do at once.
  await db.query(`insert into sluice.schedules values ('plain', now() - interval '3 h')`)
  const env = { API: api.origin, DATABASE_URL: database.url, SHOP_TOKEN: 'hidden-token-1' }
  const ticks = () =>
    db.query<{ status: string; attempt: number }>(
      `select status, attempt from sluice.ticks where status <> 'missed' order by tick`,
    )
  const asked = async (times: number): Promise<void> => {
    while (api.requests.length < times) await sleep(20)
  }

  using first = start(here.cwd, env)
  await asked(2)
  first.process.kill('SIGKILL')
  await first.ended
  expect(await ticks()).toEqual([{ status: 'running', attempt: 1 }])

  using second = start(here.cwd, env)
  await asked(3)
  const began = performance.now()
  second.process.kill('SIGTERM')
  expect(await second.ended).toEqual([0, null])
  expect(performance.now() - began).toBeLessThan(5_000)
  expect((await ticks()).at(-1)!.status).toBe('interrupted')
  // A minute may have ended since the first one was killed: then its tick was missed.
  const told = second.events.filter(({ type }) => type !== 'ticks.missed')
  expect(told.map(({ type }) => type)).toEqual([
    'scheduler.started',
    'tick.started',
    'tick.finished',
    'scheduler.stopped',
  ])
  expect(told[2]).toMatchObject({ status: 'interrupted', run: expect.any(String) })

  isStuck = false
  using third = start(here.cwd, env)
  while (!third.events.some(({ type }) => type === 'tick.finished')) await sleep(20)
  third.process.kill('SIGTERM')
  await third.ended
  expect((await ticks()).at(-1)!.status).toBe('done')
  expect(await db.query('select id::int from t.rows')).toEqual([{ id: 1 }])
}, 30_000)

/** A crontab, read as strictly as cron reads it. */
function crontabJobs(text: string): { zone: string; cron: string; command: string }[] {
  let zone = ''
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(\S+)$/.exec(line) ?? []
      if (name !== undefined) {
        if (name === 'CRON_TZ') zone = value!
        return []
      }
      const [, cron = '', command = ''] = /^((?:\S+ ){4}\S+) (.+)$/.exec(line) ?? []
      parseCron(cron, 'crontab')
      // A bare % would end the command.
      expect(command).not.toMatch(/(?<!\\)%/)
      return [{ zone, cron, command: command.replaceAll('\\%', '%') }]
    })
}

test('units are named as systemd and kubernetes admit, though pipelines differ in case only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-units-'))
  try {
    await using here = await project({
      'pipelines/a.ts': pipeline('Shop_A', `'0 4 * * *'`),
      'pipelines/b.ts': pipeline('shop-a', `'0 4 * * *'`),
    })
    await here.sluice(['schedule', '--print', 'kubernetes', '--into', folder])
    expect((await readdir(folder)).toSorted()).toEqual(['sluice-shop-a-2.yaml', 'sluice-shop-a.yaml'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 20_000)
