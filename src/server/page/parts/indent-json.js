// @ts-check

/**
 * Indents JSON without parsing it: a parser would round large numbers.
 * @param {string} json
 */
export function indentJson(json) {
  let [out, depth, isText] = ['', 0, false]
  const line = () => `\n${'  '.repeat(depth)}`
  for (let at = 0; at < json.length; at += 1) {
    const character = /** @type {string} */ (json[at])
    if (isText) {
      out += character
      if (character === '\\') out += json[(at += 1)] ?? ''
      else if (character === '"') isText = false
    } else if (character === '"') {
      isText = true
      out += character
    } else if ('{['.includes(character)) {
      const isEmpty = /^[\]}]/.test(
        json
          .slice(at + 1)
          .trimStart()
          .slice(0, 1),
      )
      depth += 1
      out += isEmpty ? character : character + line()
      if (isEmpty) depth -= 1
    } else if ('}]'.includes(character)) {
      const isEmpty = /[[{]\s*$/.test(out)
      if (!isEmpty) depth = Math.max(0, depth - 1)
      out += isEmpty ? character : line() + character
    } else if (character === ',') out += character + line()
    else if (character === ':') out += ': '
    else if (!/\s/.test(character)) out += character
  }
  return out
}
