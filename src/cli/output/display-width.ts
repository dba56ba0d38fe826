const WIDE = new RegExp(
  '[\\u1100-\\u115f\\u2e80-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff00-\\uff60' +
    '\\uffe0-\\uffe6\\u{1f300}-\\u{1f64f}\\u{1f680}-\\u{1faff}\\u{20000}-\\u{3fffd}]',
  'u',
)
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u
// oxlint-disable-next-line no-control-regex -- Control characters are the subject.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

/** Returns the columns that a text takes on a terminal. Terminals differ; this is close enough for tables. */
export function displayWidth(text: string): number {
  // Most texts have only characters of one column.
  if (/^[\u0020-\u007e\u00a0-\u02ff]*$/.test(text)) return text.length
  let width = 0
  for (const letter of text) width += letterWidth(letter)
  return width
}

function letterWidth(letter: string): 0 | 1 | 2 {
  if (WIDE.test(letter)) return 2
  return ZERO_WIDTH.test(letter) ? 0 : 1
}

/** Returns a text of exactly this width: cut at its end with `…`, or padded with spaces. */
export function fitText(text: string, width: number, { right = false } = {}): string {
  const cut = displayWidth(text) <= width ? text : shortened(text, width)
  const padding = ' '.repeat(Math.max(0, width - displayWidth(cut)))
  return right ? padding + cut : cut + padding
}

/** Returns a text on one line, without control characters that move the cursor or change colours. */
export const onOneLine = (text: string): string => text.replace(CONTROL, (letter) => VISIBLE[letter] ?? '')

const VISIBLE: Readonly<Record<string, string>> = { '\n': '⏎', '\t': ' ' }

function shortened(text: string, width: number): string {
  let cut = ''
  let used = 0
  for (const letter of text) {
    used += displayWidth(letter)
    if (used > width - 1) break
    cut += letter
  }
  return `${cut}…`
}
