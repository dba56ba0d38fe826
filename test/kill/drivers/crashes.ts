import { setTimeout as sleep } from 'node:timers/promises'
import { survives } from '../checks.ts'
import { Databases } from '../databases.ts'
import type { Context, Job } from '../job.ts'
import type { Place } from '../place.ts'
import { Postgres } from '../postgres.ts'
import { medium } from '../records.ts'
import { Rig, WRITES, type Write } from '../rig.ts'

/**
 * PostgreSQL stopped with `-m immediate` and started again, while a run is under way and again after it was killed: on
 * a server of their own.
 */
export function crashes({ random }: Pick<Context, 'random'>, count: number): Job[] {
  const instants = Array.from({ length: count }, (_, at) => (at + random()) / count)
  return WRITES.map((write) => ({
    driver: 'crashes',
    name: `PostgreSQL restarted immediately, ${count} times`,
    write,
    run: async () => {
      await using postgres = await Postgres.open()
      await using databases = await Databases.open(postgres.url)
      for (const instant of instants) {
        await crashed(postgres, databases, write, instant, false)
        await crashed(postgres, databases, write, instant, true)
      }
      return undefined
    },
  }))
}

async function crashed(
  postgres: Postgres,
  databases: Databases,
  write: Write,
  instant: number,
  alsoKilled: boolean,
): Promise<Place | undefined> {
  await using rig = await Rig.open({ databases, write, data: medium() })
  const run = rig.start()
  // Between the first pages, before which there is nothing to lose, and the last ones.
  const served = medium().items.length / medium().pages.items
  while (run.isRunning && rig.api.served('items').length < instant * served) await sleep(1)
  if (alsoKilled) run.kill()
  await postgres.restartImmediately()
  await rig.reconnect()
  await run.ended
  await survives(rig)
  return undefined
}
