import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseCron } from '../../../src/define/schedule/cron.ts'
import { parsePlainYaml } from '../../support/plain-yaml.ts'
import { callSluice } from '../support/call.ts'
import { project, type Ended, type Project } from '../support/command.ts'

const pipeline = (name: string, schedule: string): string => `
import { bearer, byPage, http, pipeline, secret } from 'SLUICE'
const api = http(process.env.API ?? 'https://api.example', { auth: bearer(secret('SHOP_TOKEN')) })
export default pipeline('${name}', {
  ${schedule === '' ? '' : `schedule: ${schedule},`}
  streams: { rows: api.get('/rows').pages(byPage('page')).records().into('t.rows', { key: 'id' }) },
})
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

/** No database is needed to print files, so this one does not answer. */
const call = ({ cwd }: Project, args: readonly string[]): Promise<Ended> =>
  callSluice(args, { cwd, env: { DATABASE_URL: 'postgres://127.0.0.1:1/none?connect_timeout=1' } })

test.each([['crontab'], ['systemd']])(
  '%s files name the variables that .env must set, and those that it does not',
  async (scheduler) => {
    await using here = await project({ 'pipelines/plain.ts': files['pipelines/plain.ts'] })
    const without = await call(here, ['schedule', '--print', scheduler])
    expect(without.stdout).toContain(
      `# ${here.cwd}/.env must set DATABASE_URL, SHOP_TOKEN (not set yet: DATABASE_URL, SHOP_TOKEN)`,
    )
    await using partial = await project({ 'pipelines/plain.ts': files['pipelines/plain.ts'], '.env': 'SHOP_TOKEN=x\n' })
    expect((await call(partial, ['schedule', '--print', scheduler])).stdout).toContain('(not set yet: DATABASE_URL)')
    const env = 'SHOP_TOKEN=x\nDATABASE_URL=postgres://localhost/x\n'
    await using all = await project({ 'pipelines/plain.ts': files['pipelines/plain.ts'], '.env': env })
    const { stdout } = await call(all, ['schedule', '--print', scheduler])
    expect(stdout).toContain(`.env must set DATABASE_URL, SHOP_TOKEN`)
    expect(stdout).not.toContain('not set yet')
  },
)

describe('sluice schedule --print', () => {
  test('systemd gets a service and a timer for each pipeline, which systemd-analyze accepts', async () => {
    await using here = await project(files)
    const printed = await call(here, ['schedule', '--print', 'systemd'])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    expect(printed.stdout.match(/^# ==> .+ <==$/gm)).toEqual(
      ['full-one.service', 'full-one.timer', 'plain.service', 'plain.timer'].map((name) => `# ==> sluice-${name} <==`),
    )
    expect(printed.stdout).not.toContain('hidden-token-1')
    const text = (name: string): string => printed.stdout.split(`# ==> ${name} <==\n`)[1]!.split('\n# ==> ')[0]!
    // Cron takes the first seven days and all Sundays, which systemd needs two lines for.
    expect(text('sluice-full-one.timer').match(/^OnCalendar=.+$/gm)).toEqual([
      'OnCalendar=*-*-01,02,03,04,05,06,07 02:30:00 Europe/Berlin',
      'OnCalendar=Sun *-*-* 02:30:00 Europe/Berlin',
    ])
    expect(text('sluice-full-one.timer')).toMatch(/^Persistent=false\nRandomizedDelaySec=90$/m)
    expect(text('sluice-plain.timer')).toMatch(/^OnCalendar=\*-\*-\* \*:00,15,30,45:00 UTC\nPersistent=true$/m)
    expect(text('sluice-full-one.service')).toMatch(/^ExecStart=.+ run Full_One --overlap wait --timeout 6h --quiet$/m)
    expect(text('sluice-plain.service')).toContain(`WorkingDirectory=${here.cwd}\n`)
    expect(text('sluice-plain.service')).toMatch(/^TimeoutStartSec=21630$/m)

    const into = await call(here, ['schedule', '--print', 'systemd', '--into', 'units', '--timeout', '30m'])
    expect(into).toMatchObject({ code: 0 })
    const units = (await readdir(join(here.cwd, 'units'))).map((name) => join(here.cwd, 'units', name))
    expect(units).toHaveLength(4)
    if (spawnSync('systemd-analyze', ['--version']).error) return
    const verified = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' })
    expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('cron gets lines with folder, overlap, timeout and log, which crontab -T accepts', async () => {
    await using here = await project(files)
    const printed = await call(here, ['schedule', '--print', 'crontab', 'plain', 'Full_One', 'elsewhere/odd.ts'])
    expect(printed).toMatchObject({ code: 0, stderr: '' })
    const jobs = crontabJobs(printed.stdout)
    expect(jobs.map(({ zone, cron }) => `${zone} ${cron}`)).toEqual([
      'UTC */15 * * * *',
      'UTC 0 4 * * 5,7',
      'Europe/Berlin 30 2 1-7 * SUN',
    ])
    expect(jobs[0]!.command).toMatch(
      new RegExp(
        String.raw`^cd \S+ && mkdir -p \.sluice && \{ \S+ --max-semi-space-size=16 \S+/bin/sluice\.cjs ` +
          String.raw`run plain --overlap skip --timeout 6h --quiet >>\.sluice/plain\.log 2>&1 ` +
          String.raw`\|\| \{ tail -n 1 \.sluice/plain\.log; exit 1; \}; \}$`,
      ),
    )
    expect(jobs[1]!.command).toContain(' run elsewhere/odd.ts --overlap skip ')
    expect(jobs[2]!.command).toContain('sleep $(( $(od -An -N2 -tu2 /dev/urandom) % 90 )); ')
    // The shell accepts each command line.
    for (const { command } of jobs) expect(spawnSync('sh', ['-n', '-c', command]).status).toBe(0)
    // Without crontab, the strict parser above is the check.
    const { status, error } = spawnSync('crontab', ['-T', '-'], { input: printed.stdout })
    expect(error === undefined ? status : 0).toBe(0)
  })

  test('kubernetes gets a CronJob for each pipeline, as YAML', async () => {
    await using here = await project(files)
    const printed = await call(here, [
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
                    args: ['run', 'Full_One', '--overlap', 'wait', '--timeout', '6h', '--log-format', 'json'],
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
  })
})

test('a pipeline or an option that cannot be scheduled is refused with exit code 2', async () => {
  await using here = await project(files)
  for (const [words, message] of [
    [['never'], 'never has no schedule'],
    [['plain.rows'], 'plain.rows: only a whole pipeline can be scheduled, with all of its streams: give plain'],
    [['plain', '--into', 'x'], '--into needs --print'],
    [['plain', '--catch-up', 'some'], 'Allowed choices are all, last, none'],
    [['plain', '--timeout', 'long'], `argument 'long' is invalid. "long" is no duration`],
  ] as const) {
    const ended = await call(here, ['schedule', ...words])
    expect({ words, ...ended }).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  }
})

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

test('units of pipelines that differ only in case have different names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-units-'))
  try {
    await using here = await project({
      'pipelines/a.ts': pipeline('Shop_A', `'0 4 * * *'`),
      'pipelines/b.ts': pipeline('shop-a', `'0 4 * * *'`),
    })
    await call(here, ['schedule', '--print', 'kubernetes', '--into', folder])
    expect((await readdir(folder)).toSorted()).toEqual(['sluice-shop-a-2.yaml', 'sluice-shop-a.yaml'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
