import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import * as errors from '../../src/model/errors.ts'
import { ERROR_CODES } from '../../src/model/error-code.ts'
import { EXPLANATIONS, errorsPage } from '../../src/cli/explain/explanations.ts'
import { errorCode } from '../../src/run/report/error-code.ts'
import { callSluice } from './support/call.ts'
import { ROOT } from './support/command.ts'

const KINDS: readonly errors.HttpErrorKind[] = [
  'not sent',
  'connection',
  'unavailable',
  'credentials',
  'status',
  'redirect',
  'graphql',
  'rule',
  'rate limit',
]

/** An error of a class, as the class wants to be made. */
function made(type: new (...given: never[]) => Error): Error {
  return new (type as new (...given: unknown[]) => Error)('x', { kind: 'status', until: new Date(), reasons: [] })
}

describe('each error has a code that is explained:', () => {
  test('each class of errors', () => {
    const classes = Object.entries(errors).filter(([name]) => name.endsWith('Error') && name !== 'SluiceError')
    expect(classes.length).toBeGreaterThan(15)
    for (const [name, type] of classes) {
      const code = (made(type as typeof errors.DecodeError) as errors.SluiceError).explanation
      expect({ name, isKnown: (ERROR_CODES as readonly string[]).includes(code) }).toEqual({ name, isKnown: true })
    }
  })

  test('each kind of failed request, each its own', () => {
    const codes = KINDS.map((kind) => errorCode(new errors.HttpError('x', { kind, status: 400 })))
    expect(new Set(codes).size).toBe(KINDS.length)
    expect(errorCode(new errors.HttpError('x', { kind: 'status', status: 404 }))).toBe('HTTP_NOT_FOUND')
  })

  test.each([
    ['42501', 'DATABASE_RIGHTS'],
    ['28P01', 'DATABASE_LOGIN'],
    ['3D000', 'DATABASE_LOGIN'],
    ['53100', 'DATABASE_FULL'],
    ['08006', 'DATABASE_DOWN'],
    ['57P01', 'DATABASE_DOWN'],
    ['23502', 'DATABASE_SQL'],
  ])('SQLSTATE %s is %s, alone and as a cause', (state, code) => {
    const cause = Object.assign(new Error('no'), { code: state })
    expect(errorCode(cause)).toBe(code)
    expect(errorCode(new errors.DatabaseError('it failed', { cause }))).toBe(code)
  })

  test('an error of a function of the user is THROWN', () => {
    expect([errorCode(new TypeError('no')), errorCode('text')]).toEqual(['THROWN', 'THROWN'])
  })
})

describe('sluice explain', () => {
  test('lists all codes, and explains one by any spelling', async () => {
    const all = await callSluice(['explain'], { cwd: ROOT })
    for (const code of ERROR_CODES) expect(all.stdout).toContain(`\n${code} `)
    const one = await callSluice(['explain', 'no-records'], { cwd: ROOT })
    expect(one.stdout).toMatch(
      /^NO_RECORDS: The response has no list .+\n\nUsual causes\n {2}- .+\n\nExample\n {2}pages/s,
    )
    expect(one.stdout.split('\n').filter((line) => line.length > 100)).toEqual([])
    expect(JSON.parse((await callSluice(['explain', 'PAGING', '--json'], { cwd: ROOT })).stdout)).toMatchObject({
      code: 'PAGING',
      remedies: [expect.any(String)],
    })
    const wrong = await callSluice(['explain', 'NO_RECORD'], { cwd: ROOT })
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean NO_RECORDS?') })
  })

  test('says what docs/ERRORS.md says', async () => {
    // After a change: node tools/errors-page.ts
    expect(await readFile(join(ROOT, 'docs/ERRORS.md'), 'utf8')).toBe(errorsPage())
    for (const { causes, remedies, example } of Object.values(EXPLANATIONS))
      expect([causes.length > 0, remedies.length > 0, example.length > 0]).toEqual([true, true, true])
  })
})
