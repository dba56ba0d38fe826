import type { Message } from '../../support/pg-proxy.ts'
import { complete, succeeded, survives } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { tiny } from '../records.ts'
import { Rig, type Write } from '../rig.ts'
import { isTurning, killedAtMessage, killedAtPlace, killedAtRequest, type When } from '../watches.ts'

/**
 * A kill at every instant of one small run at which another state can be left behind: before and after each message
 * that the other side acts upon, at one of the messages between two of those, and at every request to the API. The run
 * is carried out once without a kill, to know them.
 */
export async function everyMessage({ databases, random }: Context, write: Write): Promise<Job[]> {
  const data = tiny()
  const messages: Seen[] = []
  await using rig = await Rig.open({ databases, write, data })
  succeeded(
    await rig.start({
      watch: { before: ({ name, text, from, link }) => void messages.push({ name, text, from, link: link.id }) },
    }).ended,
    'the run without a kill',
  )
  await complete(rig, 'after the run without a kill')
  const requests = rig.api.requests
  const job = (name: string, kill: (rig: Rig) => ReturnType<typeof killedAtMessage>): Job => ({
    driver: 'every message',
    name,
    write,
    run: async (successor) => {
      await using rig = await Rig.open({ databases, write, data, successor })
      const place = await kill(rig)
      await survives(rig)
      return place
    },
  })
  return [
    job('killed when its last rows were committed and its end was not', (rig) =>
      killedAtPlace(rig, 'between last batch and end'),
    ),
    ...instantsOf(messages, random).map(({ n, name, when }) =>
      job(`killed ${when} message ${n} (${name})`, (rig) => killedAtMessage(rig, n, when)),
    ),
    ...Array.from({ length: requests }, (_, at) =>
      (['before', 'after'] as const).map((when) =>
        job(`killed ${when} the answer to request ${at + 1}`, (rig) => killedAtRequest(rig, at + 1, when)),
      ),
    ).flat(),
  ]
}

interface Seen extends Pick<Message, 'name' | 'text' | 'from'> {
  readonly link: number
}

interface Instant {
  readonly n: number
  readonly name: string
  readonly when: When
}

/**
 * Of messages that one side of a connection sends in a row and that the other does not act upon, one is drawn:
 * whichever of them the killed process has still sent or received, the same is stored.
 */
function instantsOf(messages: readonly Seen[], random: () => number): Instant[] {
  const instants: Instant[] = []
  const rows = new Map<number, { readonly from: Seen['from']; readonly row: Instant[] }>()
  const draw = (link: number): void => {
    const { row = [] } = rows.get(link) ?? {}
    rows.delete(link)
    if (row.length > 0) instants.push(row[Math.floor(random() * row.length)]!)
  }
  for (const [at, { name, text, from, link }] of messages.entries()) {
    const n = at + 1
    if (isTurning({ name, text }) || rows.get(link)?.from !== from) draw(link)
    if (isTurning({ name, text })) {
      instants.push({ n, name, when: 'before' }, { n, name, when: 'after' })
      continue
    }
    const row = rows.get(link)?.row ?? []
    row.push({ n, name, when: random() < 0.5 ? 'before' : 'after' })
    rows.set(link, { from, row })
  }
  for (const link of rows.keys()) draw(link)
  return instants
}
