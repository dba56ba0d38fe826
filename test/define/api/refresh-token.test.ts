import { describe, expect, test } from '@jest/globals'
import { http, onePage, pipeline, refreshToken, run, secret, type RefreshTokenOptions } from '../../../src/index.ts'
import { requiredSecretsIn, secretsIn } from '../../../src/define/secrets-in.ts'
import { apiServer } from '../../support/api-server.ts'

const options: RefreshTokenOptions = {
  tokenUrl: '/token',
  clientId: 'sluice',
  clientSecret: secret('CLIENT_SECRET'),
  refreshToken: secret('FIRST'),
}
const pipelineOf = (base: string) => {
  const api = http(base, { auth: refreshToken(options) })
  return pipeline('crm', {
    streams: { rows: api.get<{ id: number }[]>('/rows').pages(onePage()).records().into('t.rows', { key: 'id' }) },
  })
}

describe('refreshToken', () => {
  test('needs its secrets and the key, and the first token only if nobody has logged in', () => {
    const { recipe } = pipelineOf('https://api.example').streams.rows
    expect(secretsIn(recipe)).toEqual(['CLIENT_SECRET', 'FIRST', 'SLUICE_KEY'])
    expect(requiredSecretsIn(recipe)).toEqual(['CLIENT_SECRET', 'SLUICE_KEY'])
  })

  test.each<[string, object, string]>([
    ['an option that does not exist', { ...options, deviceURL: '/device' }, 'there is no option "deviceURL"'],
    ['a token in place of its name', { ...options, refreshToken: 'a-real-token' }, 'give a secret by its name'],
    ['a secret in place of its name', { ...options, clientSecret: 'a-real-secret' }, 'give a secret by its name'],
  ])('refuses %s, and repeats no value', (_, wrong, message) => {
    expect(() => refreshToken(wrong as RefreshTokenOptions)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
    )
    expect(() => refreshToken(wrong as RefreshTokenOptions)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('a-real') }),
    )
  })

  test('without a key, a run fails before it opens the database or sends anything', async () => {
    await using api = await apiServer([{ json: [] }])
    const environment = { CLIENT_SECRET: 'secret-of-client', FIRST: 'first-token' }
    await expect(
      run(pipelineOf(api.origin), { environment, database: 'postgres://nobody@127.0.0.1:1/none' }),
    ).rejects.toThrow('crm.rows: SLUICE_KEY is not set')
    expect(api.requests).toEqual([])
  })

  test('without a database, records cannot be read', async () => {
    await using api = await apiServer([{ json: [] }])
    await expect(Array.fromAsync(pipelineOf(api.origin).streams.rows.rows())).rejects.toThrow(
      'refreshToken() needs the database of a run, which keeps its tokens',
    )
    expect(api.requests).toEqual([])
  })
})
