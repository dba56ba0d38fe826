import { writeFileSync } from 'node:fs'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { accounts } from '../../../src/index.ts'
import { expandAccounts } from '../../../src/run/accounts/expand-accounts.ts'
import { liveAccountsOf } from '../../../src/run/accounts/live-accounts.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { shops, shopsJson } from './support.ts'

test('accounts that a command was given stay the only ones, and their secrets are known', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-accounts-'))
  const file = join(folder.path, 'shops.json')
  await writeFile(file, shopsJson(['north', 'south', 'east']))
  const definition = shops('http://127.0.0.1:1', accounts({ file }))
  const secrets = new Set<string>()
  const register = (_: string, value: string): void => void secrets.add(value)
  const given = await Promise.all(
    ['north', 'south'].map((name) => expandAccounts(definition, { accounts: [name], environment: {}, register })),
  )
  const clock = new FakeClock('2026-05-04T00:00:00Z')
  const { signal } = new AbortController()
  const seen: unknown[] = []
  const [live, ...others] = liveAccountsOf(
    given.flatMap(({ pipelines }) => pipelines),
    {
      clock,
      signal,
      environment: {},
      onChange: (change) => void seen.push(change),
      onProblem: (pipeline, message) => void seen.push(`${pipeline}: ${message}`),
    },
  )
  expect(others).toEqual([])
  const names = async () => (await live!.read(signal)).pipelines.map(({ name }) => name)
  const goOn = () => clock.goOn(new Date(clock.now().getTime() + 1).toISOString(), () => 0, { signal })

  await writeFile(
    file,
    shopsJson(['south', 'east', 'west'], (name) => ({ apiKey: `key-of-${name}` })),
  )
  // What is known is from this moment.
  expect(await names()).toEqual(['shops@north', 'shops@south'])
  await goOn()
  expect(await names()).toEqual(['shops@south'])
  expect([...secrets]).toContain('key-of-south')
  expect(seen).toEqual([{ pipeline: 'shops', added: [], removed: ['shops@north'] }])

  await writeFile(file, '[')
  for (let reading = 0; reading < 2; reading += 1) {
    await goOn()
    await expect(names()).rejects.toThrow('it begins like JSON and is not JSON')
  }
  expect(live!.problem?.since).toEqual(new Date('2026-05-04T00:00:00.002Z'))
  expect(live!.known.pipelines.map(({ name }) => name)).toEqual(['shops@south'])
  expect(seen.slice(1)).toEqual([expect.stringMatching(/^shops: its accounts cannot be read, and its runs fail until/)])
})

test('a reading that began before a moment does not tell what accounts there are at that moment', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-accounts-'))
  const file = join(folder.path, 'shops.json')
  await writeFile(file, shopsJson(['north']))
  const definition = shops('http://127.0.0.1:1', accounts({ file }))
  const { pipelines } = await expandAccounts(definition, { environment: {} })
  let now = new Date('2026-05-04T00:00:00Z')
  const clock = { now: () => now, sleep: () => Promise.reject(new Error('not used')) }
  const { signal } = new AbortController()
  const [live] = liveAccountsOf(pipelines, { clock, signal, environment: {}, onChange: () => {}, onProblem: () => {} })
  now = new Date('2026-05-04T00:01:00Z')
  const before = live!.read(signal)
  now = new Date('2026-05-04T00:02:00Z')
  writeFileSync(file, shopsJson(['north', 'south']))
  const [, ...after] = await Promise.all([before, live!.read(signal), live!.read(signal)])
  expect(after.map((one) => one.pipelines.map(({ name }) => name))).toEqual(
    Array.from({ length: 2 }, () => ['shops@north', 'shops@south']),
  )
  expect(live!.knownSince).toEqual(now)

  // The clock is set back, and the tick that is due has not come yet.
  const tick = now
  now = new Date('2026-05-03T00:00:00Z')
  writeFileSync(file, shopsJson(['north', 'south', 'east']))
  const { pipelines: later } = await live!.read(signal, tick)
  expect(later.map(({ name }) => name)).toEqual(['shops@north', 'shops@south', 'shops@east'])
})
