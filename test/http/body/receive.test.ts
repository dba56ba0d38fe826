import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Agent, buildConnector } from 'undici'
import { BodyBuffers } from '../../../src/http/body/body-buffers.ts'
import { receive, type BodyLimit } from '../../../src/http/body/receive.ts'

/** Starts a server for one test. */
async function serve(
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly origin: string; readonly server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const upTo = (bytes = 1_000_000): BodyLimit => ({ bytes, tooLarge: () => new Error('too large') })
const never = new AbortController().signal

describe('receive', () => {
  let agent: Agent
  beforeEach(() => {
    agent = new Agent({ connections: 1 })
  })
  afterEach(() => agent.destroy())

  const get = (
    origin: string,
    {
      signal = never,
      limitOf = () => upTo(),
    }: { signal?: AbortSignal; limitOf?: Parameters<typeof receive>[2]['limitOf'] } = {},
  ) => receive(agent, { origin, path: '/', method: 'GET' }, { signal, limitOf })

  test('returns status, headers in lower case and the bytes of a body that arrives in pieces', async () => {
    await using api = await serve((_, response) => {
      response.writeHead(203, { 'X-Two': ['a', 'b'] })
      response.write('one ')
      setImmediate(() => response.end('two'))
    })
    const seen: number[] = []
    const { status, headers, bytes } = await get(api.origin, {
      limitOf: () => ({ ...upTo(), onBytes: (received) => seen.push(received) }),
    })
    expect({ status, two: headers['x-two'], text: bytes?.toString() }).toEqual({
      status: 203,
      two: 'a, b',
      text: 'one two',
    })
    expect(seen.at(-1)).toBe(7)
  })

  test('returns no bytes for an empty body, and undefined for one that is not wanted', async () => {
    await using api = await serve((_, response) => response.end())
    expect((await get(api.origin)).bytes).toHaveLength(0)
    expect((await get(api.origin, { limitOf: () => undefined })).bytes).toBeUndefined()
  })

  test('keeps the connection when it discards a short body, and closes it for a long or endless one', async () => {
    let connections = 0
    await using api = await serve((request, response) => {
      response.writeHead(500)
      if (request.headers['x-body'] === 'short') response.end('sorry')
      else if (request.headers['x-body'] === 'long') response.end('x'.repeat(10_000_000))
      else response.write('x')
    })
    api.server.on('connection', () => {
      connections += 1
    })
    const request = (body: string) =>
      receive(
        agent,
        { origin: api.origin, path: '/', method: 'GET', headers: { 'x-body': body } },
        { signal: never, limitOf: () => undefined },
      )
    await request('short')
    await request('short')
    expect(connections).toBe(1)
    expect((await request('long')).status).toBe(500)
    await request('short')
    expect(connections).toBe(2)
    expect((await request('endless')).status).toBe(500)
    await request('short')
    expect(connections).toBe(3)
  })

  test('fails for a body beyond its limit, by its content-length or by its bytes', async () => {
    await using api = await serve((request, response) => {
      if (request.headers['x-length']) response.setHeader('content-length', 2_000)
      response.write('x'.repeat(2_000))
    })
    const request = (headers: Record<string, string>) =>
      receive(
        agent,
        { origin: api.origin, path: '/', method: 'GET', headers },
        { signal: never, limitOf: () => upTo(1_999) },
      )
    await expect(request({ 'x-length': '1' })).rejects.toThrow('too large')
    await expect(request({})).rejects.toThrow('too large')
  })

  test('ends when aborted while connecting, before the headers or within the body', async () => {
    const reason = new Error('enough')
    const aborted = async (
      under: Agent,
      origin: string,
      when: (abort: () => void) => Parameters<typeof receive>[2]['limitOf'],
    ) => {
      const controller = new AbortController()
      const listeners = new Set<unknown>()
      const { signal } = controller
      const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
      signal.addEventListener = (...given: Parameters<typeof add>) => {
        listeners.add(given[1])
        add(...given)
      }
      signal.removeEventListener = (...given: Parameters<typeof remove>) => {
        listeners.delete(given[1])
        remove(...given)
      }
      const limitOf = when(() => controller.abort(reason))
      await expect(receive(under, { origin, path: '/', method: 'GET' }, { signal, limitOf })).rejects.toBe(reason)
      expect(listeners.size).toBe(0)
    }
    const unconnected = new Agent({ connect: () => {} })
    await aborted(unconnected, 'http://api.test', (abort) => {
      setImmediate(abort)
      return () => upTo()
    })
    await unconnected.destroy()

    const arrived = Promise.withResolvers<void>()
    await using silent = await serve(() => arrived.resolve())
    await aborted(agent, silent.origin, (abort) => {
      void arrived.promise.then(abort)
      return () => upTo()
    })

    await using slow = await serve((_, response) => response.writeHead(200).write('x'))
    await aborted(agent, slow.origin, (abort) => () => ({ ...upTo(), onBytes: abort }))
  })

  test('sends nothing over a connection that opens after the caller has aborted', async () => {
    let requests = 0
    await using api = await serve((_, response) => {
      requests += 1
      response.end()
    })
    const connecting = Promise.withResolvers<() => void>()
    const connect = buildConnector({})
    let isFirst = true
    const late = new Agent({
      connections: 1,
      connect: (options, callback) => {
        if (isFirst) connecting.resolve(() => connect(options, callback))
        else connect(options, callback)
        isFirst = false
      },
    })
    const controller = new AbortController()
    const answer = receive(
      late,
      { origin: api.origin, path: '/', method: 'GET' },
      { signal: controller.signal, limitOf: () => upTo() },
    )
    const goOn = await connecting.promise
    controller.abort(new Error('too late'))
    await expect(answer).rejects.toThrow('too late')
    goOn()
    await receive(late, { origin: api.origin, path: '/', method: 'GET' }, { signal: never, limitOf: () => upTo() })
    expect(requests).toBe(1)
    await late.destroy()
  })

  test('returns no bytes of an earlier body for a 204 that states a length', async () => {
    await using api = await serve(() => {})
    api.server.removeAllListeners('request').on('request', (_, response) => {
      response.socket?.end('HTTP/1.1 204 No Content\r\ncontent-length: 29\r\n\r\n')
    })
    const buffers = new BodyBuffers()
    const earlier = buffers.acquire(29)
    earlier.write('{"page":"of an earlier body"}')
    buffers.release(earlier)
    expect((await get(api.origin, { limitOf: () => ({ ...upTo(), buffers }) })).bytes).toHaveLength(0)
  })

  test('fails if the connection breaks within the body', async () => {
    await using api = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('x', () => response.destroy())
    })
    await expect(get(api.origin)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })

  test('throws what limitOf throws', async () => {
    await using api = await serve((_, response) => response.end('x'))
    await expect(
      get(api.origin, {
        limitOf: () => {
          throw new Error('not this one')
        },
      }),
    ).rejects.toThrow('not this one')
  })
})
