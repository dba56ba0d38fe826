import type { Dispatcher } from 'undici'
import type { Transport, TransportApi } from '../../http/transport.ts'
import { UsageError } from '../../model/errors.ts'
import { redactUrl } from '../../observe/redact.ts'
import type { FakeApi } from '../fake/fake-api.ts'
import type { Replay } from '../fixtures/replay.ts'
import { AnsweringDispatcher } from './answering-dispatcher.ts'
import { isOfThisMachine, throughFake } from './through-fake.ts'
import { testTime } from './test-time.ts'

/** What answers the requests of one API: a fake API, or what was recorded. */
export type AnswerSource = Pick<FakeApi, 'url'> | Replay

/**
 * What answers the requests of a test.
 *
 * | given | answers |
 * |---|---|
 * | a fake API | all requests, whatever the base of the API is |
 * | `replay(file)` | what was recorded |
 * | `{ 'https://api.example/v1': source }` | the API with this base; several bases have several sources |
 * | nothing | only servers on this machine; any other request is an error |
 */
export type Answers = AnswerSource | Readonly<Record<string, AnswerSource>> | undefined

/** Returns the transport of a test. Nothing is sent to a network. */
export const testTransport = (from: Answers): Transport => ({
  connect: (api) => {
    const source = sourceFor(from, api)
    if (!source) return thisMachineOnly(api)
    return isReplay(source) ? source.connect(api) : throughFake(source.url, api)
  },
  ...testTime(replaysOf(from).find(({ recordedAt }) => recordedAt)?.recordedAt),
})

/** Returns the recordings among the sources. */
export function replaysOf(from: Answers): Replay[] {
  if (from === undefined) return []
  if (isSource(from)) return isReplay(from) ? [from] : []
  return Object.values(from).filter(isReplay)
}

function sourceFor(from: Answers, { base }: TransportApi): AnswerSource | undefined {
  if (from === undefined || isSource(from)) return from
  const given = Object.keys(from).find((one) => base === one.replace(/\/+$/, '') || base.startsWith(`${one}/`))
  return given === undefined ? undefined : from[given]
}

const isSource = (from: NonNullable<Answers>): from is AnswerSource =>
  ('url' in from && typeof from.url === 'string') || isReplay(from)

const isReplay = (from: NonNullable<Answers>): from is Replay => 'connect' in from && typeof from.connect === 'function'

/** Sends requests to servers of this machine, and refuses all others. */
function thisMachineOnly({ network }: TransportApi): Dispatcher {
  const refusing = new AnsweringDispatcher(({ method, url }) => {
    throw new UsageError(
      `${method} ${redactUrl(url.origin + url.pathname)} was not sent: a test sends nothing to a network. ` +
        "Give its answers as from: replay('file.json') or from: await fakeApi(…)",
    )
  })
  return network.compose(
    (dispatch) => (options, handler) =>
      isOfThisMachine(new URL(String(options.origin)))
        ? dispatch(options, handler)
        : refusing.dispatch(options, handler),
  )
}
