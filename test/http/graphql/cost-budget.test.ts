import { describe, expect, test } from '@jest/globals'
import { CostBudget } from '../../../src/http/graphql/cost-budget.ts'
import { virtualTime } from '../../support/virtual-time.ts'

const { signal } = new AbortController()
const throttle = { cost: 60, available: 100, maximum: 100, restorePerSecond: 10 }

describe('points of GraphQL queries', () => {
  test('are not waited for before the API has stated any', async () => {
    const time = virtualTime()
    const costs = new CostBudget(time)
    for (let query = 0; query < 20; query += 1) await costs.acquire('a', { signal })
    expect(time.slept).toEqual([])
  })

  test('of queries under way are spent, and come back at the stated rate', async () => {
    const time = virtualTime()
    const costs = new CostBudget(time)
    costs.observe('a', throttle)
    await costs.acquire('a', { signal })
    await costs.acquire('a', { signal })
    // 40 are left of 100, and 20 more take 2 s.
    expect(time.slept).toEqual([2_000])
  })

  test('that a response states are less by what is still on its way', async () => {
    const time = virtualTime()
    const costs = new CostBudget(time)
    costs.observe('a', throttle)
    const first = await costs.acquire('a', { signal })
    await costs.acquire('b', { signal })
    first?.[Symbol.dispose]()
    expect(time.slept).toEqual([2_000])
    // The API has not seen the second query yet.
    costs.observe('a', { ...throttle, available: 100 })
    await costs.acquire('a', { signal })
    expect(time.slept).toEqual([2_000, 2_000])
  })

  test('of a query that costs more than the bucket holds are waited for until it is full', async () => {
    const time = virtualTime()
    const costs = new CostBudget(time)
    costs.observe('a', { ...throttle, cost: 500, available: 40 })
    await costs.acquire('a', { signal })
    expect(time.slept).toEqual([6_000])
  })
})
