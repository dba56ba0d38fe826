type Value = string | number | Value[] | { [name: string]: Value }

/**
 * Reads the part of YAML that Sluice writes: maps, lists, JSON in one line, and plain words. Throws for anything else.
 */
export function parsePlainYaml(text: string): Value {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*#/.test(line))
    .map((line) => ({ indent: /^ */.exec(line)![0].length, text: line.trim() }))
  const read = (indent: number): Value => (lines[0]!.text.startsWith('- ') ? readList(indent) : readMap(indent))
  const readList = (indent: number): Value[] => {
    const list: Value[] = []
    while (lines[0]?.indent === indent && lines[0].text.startsWith('- ')) {
      // The text after the dash is the first line of a map, two columns further.
      lines[0] = { indent: indent + 2, text: lines[0].text.slice(2) }
      list.push(readMap(indent + 2))
    }
    return list
  }
  const readMap = (indent: number): Value => {
    const map: { [name: string]: Value } = {}
    while (lines[0]?.indent === indent && !lines[0].text.startsWith('- ')) {
      const [, name = '', value = ''] = /^([A-Za-z][\w./-]*):(?: (.+))?$/.exec(lines.shift()!.text) ?? []
      if (name === '' || name in map) throw new Error(`no YAML that we write: ${name}`)
      const next = lines[0] as { readonly indent: number } | undefined
      if (value !== '') map[name] = scalar(value)
      else map[name] = next && next.indent > indent ? read(next.indent) : ''
    }
    return map
  }
  const all = read(0)
  if (lines.length > 0) throw new Error(`no YAML that we write: ${lines[0]!.text}`)
  return all
}

/** Throws for a bare word that YAML reads as another type. */
function scalar(text: string): Value {
  if (/^["[{\d-]/.test(text)) return JSON.parse(text) as Value
  if (!/^[A-Za-z/][\w./-]*$/.test(text) || /^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text))
    throw new Error(`this word has to be quoted: ${text}`)
  return text
}
