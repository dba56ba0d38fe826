import { describe, expect, test } from '@jest/globals'
import { COUNTED, ENDED, MAX_REASONS, openBecause, worstOf, type Completeness } from '../../src/model/completeness.ts'

const open = openBecause('the cursor was in no answer')

const reasons = (from: number): string[] => Array.from({ length: 7 }, (_, index) => `reason ${from + index}`)

describe('worstOf()', () => {
  test.each<[string, Completeness | undefined, Completeness | undefined, Completeness | undefined]>([
    ['nothing and nothing', undefined, undefined, undefined],
    ['nothing and counted', undefined, COUNTED, COUNTED],
    ['counted and counted', COUNTED, COUNTED, COUNTED],
    ['counted and ended', COUNTED, ENDED, ENDED],
    ['counted and open', COUNTED, open, open],
    ['ended and open', ENDED, open, open],
    ['nothing and open', undefined, open, open],
  ])('of %s is the worse one, in either order', (_, a, b, worst) => {
    expect(worstOf(a, b)).toEqual(worst)
    expect(worstOf(b, a)).toEqual(worst)
  })

  test('of two that are open has the reasons of both, each once', () => {
    const both = worstOf(open, { grade: 'open', reasons: ['40 of 50 came', ...open.reasons] })
    expect(both).toEqual({ grade: 'open', reasons: [...open.reasons, '40 of 50 came'] })
  })

  test('keeps the first ten reasons', () => {
    const both = worstOf({ grade: 'open', reasons: reasons(0) }, { grade: 'open', reasons: reasons(7) })
    expect(both?.reasons).toEqual([...reasons(0), ...reasons(7)].slice(0, MAX_REASONS))
  })
})
