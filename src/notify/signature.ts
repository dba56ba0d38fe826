import { createHmac } from 'node:crypto'
import type { Notice } from '../model/notify.ts'

/**
 * Returns the headers of standardwebhooks.com. A key with `whsec_` before it is base64, as the libraries for receivers
 * take it; any other text is taken as it is.
 */
export function signatureHeaders({ id }: Pick<Notice, 'id'>, body: string, key: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key)
  const digest = createHmac('sha256', bytes).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${digest}` }
}
