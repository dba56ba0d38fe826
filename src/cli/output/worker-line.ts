import type { WorkerEvent } from '../../run/distribute/worker-event.ts'
import { formatNumber, formatSeconds } from '../../value/format.ts'
import { formatTime } from './format-time.ts'

/** Returns an event of a worker as one line of text. */
export function workerLine(event: WorkerEvent, now = new Date()): string {
  return `${formatTime(now)}  ${textOf(event)}`
}

type EventOf<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { readonly type: Type }>

function textOf(event: WorkerEvent): string {
  switch (event.type) {
    case 'worker.started':
      return startedText(event)
    case 'pipeline.lacked':
      return `${event.pipeline}  takes no work: ${onOneLine(event.reason)}`
    case 'work.left':
      return leftText(event)
    case 'piece.started':
      return `${nameOf(event)}  starts`
    case 'piece.finished':
      return finishedText(event)
    case 'piece.left':
      return `${nameOf(event)}  goes on elsewhere: ${onOneLine(event.reason)}`
    case 'warning':
      return `warning: ${onOneLine(event.message)}`
    case 'worker.stopped':
      return `stopped: ${event.reason}`
  }
}

function startedText({ worker, concurrency, pipelines }: EventOf<'worker.started'>): string {
  const has = pipelines.map(({ pipeline, version }) => `${pipeline} (${version})`).join(', ') || 'nothing'
  return `worker ${worker} works on ${has}, ${formatNumber(concurrency)} at once; Ctrl-C stops it`
}

function leftText({ pipeline, version, own, waiting }: EventOf<'work.left'>): string {
  const pieces = waiting === 1 ? '1 piece of work waits' : `${formatNumber(waiting)} pieces of work wait`
  const has = own === undefined ? 'does not have this pipeline' : `has version ${own}`
  return `${pipeline}  ${pieces} for version ${version}, and this worker ${has}`
}

function finishedText(event: EventOf<'piece.finished'>): string {
  const { status, run, ms, fetched, stored, rejected, error } = event
  const facts = [
    `${status === 'done' ? 'done in' : `${status} after`} ${formatSeconds(ms)}`,
    `${run === undefined ? '' : `run ${run}: `}${formatNumber(fetched)} read`,
    `${formatNumber(stored)} stored`,
    ...(rejected > 0 ? [`${formatNumber(rejected)} rejected`] : []),
  ]
  return `${nameOf(event)}  ${facts.join(', ')}${error === undefined ? '' : `: ${onOneLine(error)}`}`
}

/** `shop.orders`, or with the beginning of a window: `shop.orders 2024-01-31T00:00:00Z`. */
const nameOf = ({ pipeline, stream, window }: Pick<EventOf<'piece.left'>, 'pipeline' | 'stream' | 'window'>): string =>
  `${pipeline}.${stream}${window === undefined ? '' : ` ${window}`}`

const onOneLine = (text: string): string => text.replaceAll('\n', '; ')
