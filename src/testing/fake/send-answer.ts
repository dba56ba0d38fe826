import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { FakeAnswer } from './fake-request.ts'
import type { FaultKind } from './faults.ts'

/** Sends an answer with its fault: late, half, or with a connection that ends. */
export async function sendAnswer(
  response: ServerResponse,
  { status = 200, headers = {}, json, body }: FakeAnswer,
  fault: FaultKind | undefined,
  slowMs: number,
): Promise<void> {
  const whole = Buffer.from(body ?? (json === undefined ? '' : JSON.stringify(json)))
  const bytes = fault === 'truncated' ? whole.subarray(0, Math.floor(whole.length / 2)) : whole
  if (fault === 'slow') await setTimeout(slowMs)
  response.writeHead(status, {
    'content-type': json === undefined ? 'text/plain' : 'application/json',
    'content-length': String(bytes.length),
    ...(headers as Record<string, string | string[]>),
  })
  if (fault !== 'cut') response.end(bytes)
  else response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy())
}
