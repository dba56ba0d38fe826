import { apiServer, type ApiRequest, type ApiServer } from './api-server.ts'

export interface PointsServer extends ApiServer {
  /** Queries that were refused. */
  readonly refused: number
}

/** Counts points as Shopify does: a query needs its requested cost, and what it does not use is given back. */
export async function pointsServer(
  data: (variables: Readonly<Record<string, unknown>>, request: ApiRequest) => unknown,
  {
    maximum,
    restoreRate,
    requested,
    actual = requested,
    available: begin = maximum,
  }: { maximum: number; restoreRate: number; requested: number; actual?: number; available?: number },
): Promise<PointsServer> {
  let available = begin
  let at = performance.now()
  let refused = 0
  const api = await apiServer((request) => {
    const now = performance.now()
    available = Math.min(maximum, available + ((now - at) / 1_000) * restoreRate)
    at = now
    const isRefused = available < requested
    if (isRefused) refused += 1
    else available -= actual
    const extensions = {
      cost: {
        requestedQueryCost: requested,
        actualQueryCost: isRefused ? null : actual,
        throttleStatus: { maximumAvailable: maximum, currentlyAvailable: Math.floor(available), restoreRate },
      },
    }
    if (isRefused)
      return { json: { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }], extensions } }
    const { variables = {} } = JSON.parse(request.body) as { variables?: Record<string, unknown> }
    return { json: { data: data(variables, request), extensions } }
  })
  return Object.defineProperty(api as PointsServer, 'refused', { get: () => refused })
}
