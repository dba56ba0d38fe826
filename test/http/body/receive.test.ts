import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Agent, buildConnector } from 'undici'
import { BodyBuffers } from '../../../src/http/body/body-buffers.ts'
import { receive, type BodyLimit } from '../../../src/http/body/receive.ts'

/** A server for one test, and what is asked of it. */
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

const whole = (bytes = 1_000_000): BodyLimit => ({ bytes, tooLarge: () => new Error('too large') })
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
      wants = () => whole(),
    }: { signal?: AbortSignal; wants?: Parameters<typeof receive>[2]['wants'] } = {},
  ) => receive(agent, { origin, path: '/', method: 'GET' }, { signal, wants })

  it('answers status, headers in lower case and the bytes of the body, in however many pieces they come', async () => {
    await using api = await serve((_, response) => {
      response.writeHead(203, { 'X-Two': ['a', 'b'] })
      response.write('one ')
      setImmediate(() => response.end('two'))
    })
    const seen: number[] = []
    const { status, headers, bytes } = await get(api.origin, {
      wants: () => ({ ...whole(), onBytes: (soFar) => seen.push(soFar) }),
    })
    expect({ status, two: headers['x-two'], text: bytes?.toString() }).toEqual({
      status: 203,
      two: 'a, b',
      text: 'one two',
    })
    expect(seen.at(-1)).toBe(7)
  })

  it('answers an empty body as no bytes, and one that is not wanted as none', async () => {
    await using api = await serve((_, response) => response.end())
    expect((await get(api.origin)).bytes).toHaveLength(0)
    expect((await get(api.origin, { wants: () => undefined })).bytes).toBeUndefined()
  })

  it('keeps the connection where a short body is discarded, and gives it up where the body is long or never ends', async () => {
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
    const ask = (body: string) =>
      receive(
        agent,
        { origin: api.origin, path: '/', method: 'GET', headers: { 'x-body': body } },
        { signal: never, wants: () => undefined },
      )
    await ask('short')
    await ask('short')
    expect(connections).toBe(1)
    expect((await ask('long')).status).toBe(500)
    await ask('short')
    expect(connections).toBe(2)
    expect((await ask('endless')).status).toBe(500)
    await ask('short')
    expect(connections).toBe(3)
  })

  it('refuses a body that is larger than admitted, by what it says of itself or once it is', async () => {
    await using api = await serve((request, response) => {
      if (request.headers['x-length']) response.setHeader('content-length', 2_000)
      response.write('x'.repeat(2_000))
    })
    const ask = (headers: Record<string, string>) =>
      receive(
        agent,
        { origin: api.origin, path: '/', method: 'GET', headers },
        { signal: never, wants: () => whole(1_999) },
      )
    await expect(ask({ 'x-length': '1' })).rejects.toThrow('too large')
    await expect(ask({})).rejects.toThrow('too large')
  })

  it('ends at once when aborted, while a connection is being made, before the headers and in the middle of the body, and leaves no listener behind', async () => {
    const reason = new Error('enough')
    const aborted = async (
      under: Agent,
      origin: string,
      when: (abort: () => void) => Parameters<typeof receive>[2]['wants'],
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
      const wants = when(() => controller.abort(reason))
      await expect(receive(under, { origin, path: '/', method: 'GET' }, { signal, wants })).rejects.toBe(reason)
      expect(listeners.size).toBe(0)
    }
    const unconnected = new Agent({ connect: () => {} })
    await aborted(unconnected, 'http://api.test', (abort) => {
      setImmediate(abort)
      return () => whole()
    })
    await unconnected.destroy()

    const arrived = Promise.withResolvers<void>()
    await using silent = await serve(() => arrived.resolve())
    await aborted(agent, silent.origin, (abort) => {
      void arrived.promise.then(abort)
      return () => whole()
    })

    await using slow = await serve((_, response) => response.writeHead(200).write('x'))
    await aborted(agent, slow.origin, (abort) => () => ({ ...whole(), onBytes: abort }))
  })

  it('sends nothing once a connection is there for which nobody waits any more', async () => {
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
      { signal: controller.signal, wants: () => whole() },
    )
    const goOn = await connecting.promise
    controller.abort(new Error('too late'))
    await expect(answer).rejects.toThrow('too late')
    goOn()
    await receive(late, { origin: api.origin, path: '/', method: 'GET' }, { signal: never, wants: () => whole() })
    expect(requests).toBe(1)
    await late.destroy()
  })

  it('has no bytes of an earlier body where an answer tells a length and has no body', async () => {
    await using api = await serve(() => {})
    api.server.removeAllListeners('request').on('request', (_, response) => {
      response.socket!.end('HTTP/1.1 204 No Content\r\ncontent-length: 27\r\n\r\n')
    })
    const memory = new BodyBuffers()
    const earlier = memory.acquire(27)
    earlier.write('{"page":"of somebody else"}')
    memory.release(earlier)
    expect((await get(api.origin, { wants: () => ({ ...whole(), memory }) })).bytes).toHaveLength(0)
  })

  it('fails where the connection breaks in the middle of the body', async () => {
    await using api = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 10 })
      response.write('x', () => response.destroy())
    })
    await expect(get(api.origin)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' })
  })

  it('has what it is told about an answer thrown to its caller', async () => {
    await using api = await serve((_, response) => response.end('x'))
    await expect(
      get(api.origin, {
        wants: () => {
          throw new Error('not this one')
        },
      }),
    ).rejects.toThrow('not this one')
  })
})
