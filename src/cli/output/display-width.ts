const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1faff}\u{20000}-\u{3fffd}]/u
const none = /[\p{Mn}\p{Me}\p{Cf}]/u
// oxlint-disable-next-line no-control-regex -- They are what is looked for.
const control = /[\u0000-\u001f\u007f-\u009f]/g

/** Columns of a terminal that a text takes; near enough for tables, since terminals themselves differ. */
export function displayWidth(text: string): number {
  // oxlint-disable-next-line no-control-regex -- All that is one column wide, which is most there is.
  if (/^[\u0020-\u02ff]*$/.test(text)) return text.length
  let width = 0
  for (const letter of text) width += wide.test(letter) ? 2 : none.test(letter) ? 0 : 1
  return width
}

/** A text in so many columns: its end is cut off, and the rest filled with blanks. */
export function fitText(text: string, width: number, { right = false } = {}): string {
  const cut = displayWidth(text) <= width ? text : shortened(text, width)
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(cut)))
  return right ? blanks + cut : cut + blanks
}

/** A text on one line, in which nothing moves a terminal's cursor or changes its colours. */
export const onOneLine = (text: string): string =>
  text.replace(control, (letter) => (letter === '\n' ? '⏎' : letter === '\t' ? ' ' : ''))

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
