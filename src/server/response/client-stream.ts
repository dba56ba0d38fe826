import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import { abortable } from '../../flow/signals/abortable.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { defineErrorName } from '../../value/error.ts'

/** The client has read nothing for too long, so it is disconnected. */
export class SlowClientError extends Error {
  static {
    defineErrorName(this)
  }
}

/** The client closed the connection: no answer can be sent. */
export class ClientLeftError extends Error {
  static {
    defineErrorName(this)
  }
}

/** Takes a reply over from Fastify: sends its headers now, and returns the raw response for streaming. */
export function hijackReply(reply: FastifyReply, headers: Readonly<Record<string, string>>): ServerResponse {
  reply.hijack()
  const response = reply.raw
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers }))
    if (value !== undefined) response.setHeader(name, value)
  response.writeHead(200)
  response.flushHeaders()
  return response
}

/** Returns a signal that aborts when the client disconnects, or when `signal` does. */
export function clientAbortSignal(response: ServerResponse, signal: AbortSignal): LinkedSignal {
  const left = new LinkedSignal(signal)
  const leave = (): void => left.abort(new ClientLeftError('the client closed the connection'))
  // An error is followed by `close`.
  response.on('error', () => {})
  if (response.destroyed || response.closed) leave()
  else response.once('close', leave)
  return left
}

/** Writes bytes to a client and waits until its socket accepts more; throws `SlowClientError` after `timeoutMs`. */
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
  using timeout = deadline(signal, timeoutMs)
  try {
    await abortable(drained, timeout.signal)
  } catch {
    signal.throwIfAborted()
    throw new SlowClientError(`the client read nothing for ${timeoutMs / 1_000} s`)
  } finally {
    response.off('drain', resolve)
  }
}
