import type { StoredWait } from '../../ledger/read/read-waits.ts'
import { placeText as textOf } from '../../http/limits/limits.ts'
import type { StatusFinding, StatusWait } from './stream-status.ts'

export const waitOf = ({ api, path, endpoint, until, source }: StoredWait): StatusWait => ({
  api,
  path: path ?? endpoint,
  until: until.toISOString(),
  source: source ?? null,
})

/** Names an API, one of its paths or an endpoint. */
export const placeText = ({ api, path }: Pick<StatusWait, 'api' | 'path'>): string => textOf(api, path ?? '')

/** Returns a sentence about a wait. `until` is its end as the reader wants to see it. */
export function waitText(wait: StatusWait, until: string): string {
  const { source } = wait
  const because = source
    ? `: ${source.request} answered ${source.status} with ${source.header} to run ${source.run}`
    : ''
  return `no request is sent to ${placeText(wait)} until ${until}${because}`
}

/** Returns the notice of a wait for the stream that was asked to wait, undefined if it is not known. */
export function waitFinding(wait: StatusWait): StatusFinding | undefined {
  const { source, until } = wait
  if (!source) return undefined
  const { pipeline, stream } = source
  const message = `${waitText(wait, until)}. To ask earlier: sluice limits clear`
  return { kind: 'waiting', isFault: false, pipeline, ...(stream !== '' && { stream }), message }
}
