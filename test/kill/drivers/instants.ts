import { complete, succeeded, survives } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { large } from '../records.ts'
import { Rig, WRITES, type Write } from '../rig.ts'
import { killedAtInstant } from '../watches.ts'

/**
 * Kills at instants drawn evenly over the length of a whole run of 20,000 rows, which is measured first: as slow as it
 * is with others beside it.
 */
export async function instants({ databases, random }: Context, count: number, beside: number): Promise<Job[]> {
  const data = large()
  const lengths = new Map<Write, number>()
  for (const write of WRITES) {
    const measured = await Promise.all(
      Array.from({ length: beside }, async () => {
        await using rig = await Rig.open({ databases, write, data })
        const started = performance.now()
        succeeded(await rig.start().ended, 'the run without a kill')
        const length = performance.now() - started
        await complete(rig, 'after the run without a kill')
        return length
      }),
    )
    lengths.set(write, Math.max(...measured))
  }
  return Array.from({ length: count }, (_, at) => {
    const write = WRITES[at % WRITES.length]!
    const ms = ((at + random()) / count) * lengths.get(write)!
    return {
      driver: 'instants',
      name: `killed after ${Math.round(ms)} of ${Math.round(lengths.get(write)!)} ms`,
      write,
      run: async (successor) => {
        await using rig = await Rig.open({ databases, write, data, successor })
        const place = await killedAtInstant(rig, ms)
        await survives(rig)
        return place
      },
    }
  })
}
