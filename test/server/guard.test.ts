import { describe, expect, test } from '@jest/globals'
import { request as ask } from 'node:http'
import { UsageError } from '../../src/model/errors.ts'
import { serve } from '../../src/index.ts'
import { rig, type Rig } from './support.ts'

const token = 'a-token-of-thirty-two-characters'

/** Sends a request with another Host, which `fetch` cannot. */
const withHost = (served: Rig, path: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    ask(served.server.url + path, { headers, method, agent: false }, (answer) => resolve(answer.resume().statusCode!))
      .on('error', reject)
      .end()
  })

describe('guard', () => {
  test('requests with a local Host and no foreign Origin are accepted', async () => {
    await using served = await rig({ allowedHosts: ['etl.example'] })
    const port = new URL(served.server.url).port
    for (const host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      'localhost:9000',
      `[::1]:${port}`,
      'etl.example',
      'ETL.example:80',
    ])
      expect([host, await withHost(served, '/healthz', { host })]).toEqual([host, 200])
    for (const host of ['rebound.example', `rebound.example:${port}`, '10.0.0.1', 'localhost.rebound.example'])
      expect([host, await withHost(served, '/api/summary', { host })]).toEqual([host, 421])
    expect((await served.get('/api/runs', { origin: served.server.url })).status).toBe(200)
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://evil.example:443']) {
      expect([origin, (await served.post('/api/runs', { pipeline: 'shop' }, { origin })).status]).toEqual([origin, 403])
      expect((await served.get('/api/events', { origin })).status).toBe(403)
    }
    expect(await withHost(served, '/api/runs', { 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await withHost(served, '/api/runs', { 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await withHost(served, '/', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' })).toBe(200)
    expect(
      await withHost(
        served,
        '/api/runs/1/cancel',
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        'POST',
      ),
    ).toBe(403)
    expect((await served.get('/api/runs')).json.runs).toEqual([])
  })

  test('a form of another page starts nothing', async () => {
    await using served = await rig()
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      expect(
        (
          await fetch(`${served.server.url}/api/runs`, {
            method: 'POST',
            headers: { 'content-type': type },
            body: '{"pipeline":"shop"}',
          })
        ).status,
      ).toBe(415)
    }
    expect((await served.get('/api/runs')).json.runs).toEqual([])
  })

  test('every route except /healthz needs the token', async () => {
    await using served = await rig({ token })
    for (const path of ['/api/summary', '/api/events', '/api/runs', '/metrics', '/readyz', '/page/main.js', '/nowhere'])
      expect([path, (await served.get(path)).status]).toEqual([path, 401])
    expect((await served.post('/api/runs', { pipeline: 'shop' })).status).toBe(401)
    expect((await served.get('/healthz')).status).toBe(200)
    for (const wrong of ['', 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, `Basic ${token}`, token])
      expect((await served.get('/api/runs', { authorization: wrong })).status).toBe(401)
    expect((await served.get('/api/runs', { authorization: `Bearer ${token}` })).status).toBe(200)
    expect((await served.get('/api/runs', { authorization: `bearer ${token}` })).status).toBe(200)
  })

  test('the login form exchanges the token for a cookie that does not contain it', async () => {
    await using served = await rig({ token })
    const form = await served.get('/', { accept: 'text/html' })
    expect(form).toMatchObject({ status: 401, text: expect.stringContaining('action="/login"') })
    const login = (given: string) =>
      fetch(`${served.server.url}/login`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: served.server.url },
        body: new URLSearchParams({ token: given }),
      })
    const refused = await login('wrong')
    expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, null])
    const entered = await login(token)
    const cookie = entered.headers.get('set-cookie')!
    expect(entered.status).toBe(303)
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toContain(token)
    const [value] = cookie.split(';') as [string]
    expect((await served.get('/api/runs', { cookie: `other=1; ${value}` })).status).toBe(200)
    const [, until, sign] = /=(\d+)\.(.*)$/.exec(value)!
    for (const forged of [
      `sluice=${Number(until) + 1}.${sign}`,
      `sluice=1.${sign}`,
      `sluice=${until}.${'A'.repeat(43)}`,
      `sluice=${until}.`,
    ])
      expect([forged, (await served.get('/api/runs', { cookie: forged })).status]).toEqual([forged, 401])
    // A form of another site is rejected before its token is checked.
    expect(
      (
        await fetch(`${served.server.url}/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://evil.example' },
          body: `token=${token}`,
        })
      ).status,
    ).toBe(403)
  })

  test('every answer has headers that forbid foreign scripts, frames and caches', async () => {
    await using served = await rig()
    for (const path of ['/', '/api/summary', '/nowhere', '/api/runs?limit=0']) {
      const { headers } = await served.get(path)
      const policy = headers.get('content-security-policy')!
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('access-control-allow-origin')).toBeNull()
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  test('a server that other machines reach needs a token of 16 characters', async () => {
    await expect(serve([], { host: '0.0.0.0', port: 0, environment: {} })).rejects.toThrow(UsageError)
    await expect(serve([], { host: '0.0.0.0', port: 0, environment: {} })).rejects.toThrow(/SLUICE_TOKEN/)
    await expect(serve([], { token: 'short', port: 0, environment: {} })).rejects.toThrow(/5 characters/)
  })

  test.each([
    ['hosts', 'allowedHosts'],
    ['runs', 'maxRuns'],
    ['patience', 'clientTimeout'],
    ['failed', 'onError'],
  ])('the old option %s is rejected with an error that names %s', async (before, now) => {
    await expect(serve([], { [before]: 1 })).rejects.toThrow(`serve(): ${before} is now ${now}`)
  })
})
