import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { abortable } from '../../flow/signals/abortable.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { defineErrorName } from '../../value/error.ts'

/** Who reads has taken nothing for so long that it is cut off. */
export class SlowClientError extends Error {
  static {
    defineErrorName(this)
  }
}

/** Take an answer over from the framework, with the headers that it has by now. */
export function hijackReply(reply: FastifyReply, headers: Readonly<Record<string, string>>): ServerResponse {
  reply.hijack()
  const response = reply.raw
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers }))
    if (value !== undefined) response.setHeader(name, value)
  response.writeHead(200)
  response.flushHeaders()
  return response
}

/** A signal that aborts when the client leaves, or with the one given. */
export function clientAbortSignal(response: ServerResponse, signal: AbortSignal): LinkedSignal {
  const left = new LinkedSignal(signal)
  const leave = (): void => left.abort(new Error('The client has left'))
  // One that dies is told by its close.
  response.on('error', () => {})
  if (response.destroyed || response.closed) leave()
  else response.once('close', leave)
  return left
}

/** Hand some bytes to a client's socket, and wait until it has taken them. */
export async function writeWithBackpressure(
  response: ServerResponse,
  bytes: Buffer | string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  if (response.write(bytes)) return
  const { promise: drained, resolve } = Promise.withResolvers<void>()
  response.once('drain', resolve)
  using patience = deadline(signal, timeoutMs)
  try {
    await abortable(drained, patience.signal)
  } catch {
    signal.throwIfAborted()
    throw new SlowClientError('It took nothing for too long')
  } finally {
    response.off('drain', resolve)
  }
}
