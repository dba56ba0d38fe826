import { describe, expect, test } from '@jest/globals'
import { displayWidth, fitText } from '../../../src/cli/output/display-width.ts'
import { textTable } from '../../../src/cli/output/text-table.ts'

describe('a table', () => {
  test('has numbers to the right and values of any script in columns', () => {
    expect(
      textTable([
        { id: '7', name: '札幌市', at: new Date(0) },
        { id: '10', name: 'Köln', at: null },
      ]),
    ).toBe(
      [
        'id  name    at',
        '--  ------  ------------------------',
        ' 7  札幌市  1970-01-01T00:00:00.000Z',
        '10  Köln',
      ].join('\n'),
    )
  })

  test('keeps each value on its line: nothing in it moves the cursor', () => {
    expect(textTable([{ text: 'a\nb\tc\u001b[31m', json: { n: 1n, x: [1] } }])).toContain(
      'a⏎b c[31m  {"n":"1","x":[1]}',
    )
  })

  test('takes from the widest columns until it fits its terminal', () => {
    const row = { id: 1, long: 'x'.repeat(100), middle: 'y'.repeat(30) }
    for (const line of textTable([row], { width: 60 }).split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(60)
    expect(textTable([row], { width: 60 })).toMatch(/x{10,}… {2}y{20,}…?$/)
  })

  test('becomes a list for each row where not even narrow columns fit', () => {
    const row = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`column_${index}`, 'v'.repeat(30)]))
    const text = textTable([row, row], { width: 80 })
    expect(text.split('\n')).toHaveLength(42)
    expect(text).toMatch(/^-- 1\ncolumn_0 {3}v{30}$/m)
  })

  test('of nothing is nothing', () => {
    expect(textTable([])).toBe('')
  })
})

test('a text is cut at columns, not at letters', () => {
  expect(displayWidth('e\u0301日本')).toBe(5)
  expect(fitText('日本語', 5)).toBe('日本…')
  expect(fitText('日本語', 4)).toBe('日… ')
  expect(fitText('ab', 4, { right: true })).toBe('  ab')
})

test('columns that one can do without are left out where not all fit', () => {
  const row = { id: 1, kind: 'x'.repeat(20), name: 'y'.repeat(20) }
  expect(textTable([row], { width: 80, optional: ['kind'] })).toContain('kind')
  expect(textTable([row], { width: 30, optional: ['kind'] })).toBe(
    ['id  name', `--  ${'-'.repeat(20)}`, ` 1  ${'y'.repeat(20)}`].join('\n'),
  )
})
