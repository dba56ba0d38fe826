import type { Fault } from '../api.ts'
import { BrokenPromise } from '../broken-promise.ts'
import { complete, furtherRun, succeeded, survives } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { small } from '../records.ts'
import { Rig, WRITES } from '../rig.ts'

/** Faults of an API, at every fifth request, that the run must overcome. */
const PASSING: Readonly<Record<string, Fault>> = {
  'answers 429': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  'answers 503': {
    kind: 'status',
    status: 503,
    headers: { 'content-type': 'text/html' },
    body: '<h1>Service unavailable</h1>',
  },
  'resets connections': { kind: 'reset' },
  'truncates bodies': { kind: 'truncated' },
  'answers HTML with 200': { kind: 'html' },
}

/** An API that fails, passingly and for good, and one that has forgotten where we were. */
export function apiFaults({ databases }: Context): Job[] {
  const data = small()
  return WRITES.flatMap((write) => [
    ...Object.entries(PASSING).map(([name, fault]): Job => ({
      driver: 'API faults',
      name: `the API ${name}`,
      write,
      run: async () => {
        let faults = 0
        await using rig = await Rig.open({
          databases,
          write,
          data,
          api: { fault: ({ n }) => (n % 5 === 3 && ++faults ? fault : undefined) },
        })
        succeeded(await rig.start().ended, 'the run')
        if (faults < 5) throw new BrokenPromise(`the API failed only ${faults} times`)
        await complete(rig, 'after the run')
        await furtherRun(rig)
        return undefined
      },
    })),
    {
      driver: 'API faults',
      name: 'the API refuses requests (501)',
      write,
      run: async () => {
        // At every request until there were four: whatever the order of requests, none is left for a run after one that
        // succeeded.
        const seen = new Set<string>()
        await using rig = await Rig.open({
          databases,
          write,
          data,
          api: {
            fault: ({ n, url }) =>
              n > 6 && seen.size < 4 && !seen.has(url.href) && seen.add(url.href)
                ? { kind: 'status', status: 501 }
                : undefined,
          },
        })
        await rig.start().ended
        await survives(rig, { failures: 8 })
        return undefined
      },
    },
    {
      driver: 'API faults',
      name: 'the API has forgotten the position (410)',
      write,
      run: async () => {
        const begun = new Set<string>()
        let forgotten = 0
        let isForgetful = false
        await using rig = await Rig.open({
          databases,
          write,
          data,
          api: {
            fault({ url }) {
              if (!isForgetful) return undefined
              if (!url.searchParams.has('cursor')) begun.add(url.pathname)
              if (begun.has(url.pathname)) return undefined
              forgotten++
              return {
                kind: 'status',
                status: 410,
                body: '{"error":"cursor expired"}',
                headers: { 'content-type': 'application/json' },
              }
            },
          },
        })
        await killedMidway(rig)
        isForgetful = true
        await survives(rig)
        if (forgotten === 0) throw new BrokenPromise('the API was not asked for an old position')
        return undefined
      },
    },
  ])
}

/** Killed when half of the batches are in, whatever the number of messages. */
async function killedMidway(rig: Rig): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let commits = 0
  const run = rig.start({
    watch: {
      after: ({ name, text }) =>
        void (name === 'CommandComplete' && text === 'COMMIT' && ++commits === 12 && resolve()),
    },
  })
  await Promise.race([promise, run.ended])
  await rig.kill(run)
}
