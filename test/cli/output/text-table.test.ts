import { describe, expect, test } from '@jest/globals'
import { displayWidth, fitText } from '../../../src/cli/output/display-width.ts'
import { textTable } from '../../../src/cli/output/text-table.ts'

describe('a table', () => {
  test('aligns numbers to the right, and text of any script', () => {
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

  test('keeps each value on one line, without control characters', () => {
    expect(textTable([{ text: 'a\nb\tc\u001b[31m', json: { n: 1n, x: [1] } }])).toContain(
      'a⏎b c[31m  {"n":"1","x":[1]}',
    )
  })

  test('narrows its widest columns until it fits the terminal', () => {
    const row = { id: 1, long: 'x'.repeat(100), middle: 'y'.repeat(30) }
    for (const line of textTable([row], { width: 60 }).split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(60)
    expect(textTable([row], { width: 60 })).toMatch(/x{10,}… {2}y{20,}…?$/)
  })

  test('becomes a list for each row if narrow columns do not fit either', () => {
    const row = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`column_${index}`, 'v'.repeat(30)]))
    const text = textTable([row, row], { width: 80 })
    expect(text.split('\n')).toHaveLength(42)
    expect(text).toMatch(/^-- 1\ncolumn_0 {3}v{30}$/m)
  })

  test('without rows is empty', () => {
    expect(textTable([])).toBe('')
  })
})

test('fitText cuts a text by its columns on a terminal, not by its letters', () => {
  expect(displayWidth('e\u0301日本')).toBe(5)
  expect(fitText('日本語', 5)).toBe('日本…')
  expect(fitText('日本語', 4)).toBe('日… ')
  expect(fitText('ab', 4, { right: true })).toBe('  ab')
})

test('optional columns are left out if not all columns fit', () => {
  const row = { id: 1, kind: 'x'.repeat(20), name: 'y'.repeat(20) }
  expect(textTable([row], { width: 80, optional: ['kind'] })).toContain('kind')
  expect(textTable([row], { width: 30, optional: ['kind'] })).toBe(
    ['id  name', `--  ${'-'.repeat(20)}`, ` 1  ${'y'.repeat(20)}`].join('\n'),
  )
})
