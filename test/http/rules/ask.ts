// One request with rules for its response.
import { expect } from '@jest/globals'
import { http, type ResponseRule } from '../../../src/index.ts'
import type { RuleData } from '../../../src/model/response-rule.ts'
import type { DecodedResponse } from '../../../src/model/scope.ts'
import { apiServer, type ApiAnswer, type ApiHandler } from '../../support/api-server.ts'
import { testClient } from '../../support/http-client.ts'

export const dataOf = (rules: readonly ResponseRule[]): readonly RuleData[] =>
  http('http://api.example', { responseRules: rules }).api.responseRules ?? []

interface Outcome {
  readonly response?: DecodedResponse
  readonly error?: Error
  readonly requests: number
  readonly slept: readonly number[]
}

/** Sends one request with these rules. */
export async function ask(
  answers: ApiHandler | readonly ApiAnswer[],
  rules: readonly ResponseRule[],
  ofApi: readonly ResponseRule[] = [],
): Promise<Outcome> {
  await using api = await apiServer(answers)
  await using client = testClient({ base: api.origin, responseRules: dataOf(ofApi) })
  const outcome = await client.get('/x', { rules: dataOf(rules) }).then(
    (response) => ({ response }),
    (error: Error) => ({ error }),
  )
  if ('response' in outcome) outcome.response.hold[Symbol.dispose]()
  expect(client.memory.held).toBe(0)
  return { ...outcome, requests: api.requests.length, slept: [...client.time.slept] }
}
