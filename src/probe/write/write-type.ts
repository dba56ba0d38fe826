// A type as TypeScript writes it.
import type { FieldType, TypeTree } from '../found.ts'
import { LINE, memberName, quoted } from './text.ts'

/** Returns an interface declaration, or a type alias for what is no object. */
export function declarationOf(name: string, type: TypeTree): string {
  return type.kind === 'object'
    ? `interface ${name} ${fieldsText(type.fields, '')}`
    : `type ${name} = ${typeText(type)}`
}

/** Returns a type; objects that do not fit one line are written over several ones. */
export function typeText(type: TypeTree, indent = ''): string {
  switch (type.kind) {
    case 'text':
      return 'string'
    case 'decimal':
      return 'Decimal'
    case 'unknown':
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'null':
      return type.kind
    case 'literal':
      return typeof type.value === 'string' ? quoted(type.value) : String(type.value)
    case 'named':
      return type.name
    case 'list': {
      const item = typeText(type.of, indent)
      return type.of.kind === 'union' ? `(${item})[]` : `${item}[]`
    }
    case 'map':
      return `Record<string, ${typeText(type.of, indent)}>`
    case 'union':
      return [...new Set(type.of.map((one) => typeText(one, indent)))].join(' | ')
    case 'object':
      return objectText(type.fields, indent)
  }
}

function objectText(fields: readonly FieldType[], indent: string): string {
  if (fields.length === 0) return 'Record<string, never>'
  const line = `{ ${fields.map((field) => memberText(field, indent)).join('; ')} }`
  const isShort = fields.length <= 4 && !line.includes('\n') && indent.length + line.length < LINE - 40
  return isShort && fields.every(({ note }) => note === undefined) ? line : fieldsText(fields, indent)
}

function fieldsText(fields: readonly FieldType[], indent: string): string {
  if (fields.length === 0) return '{}'
  const inner = `${indent}  `
  const lines = fields.flatMap((field) => [
    ...(field.note === undefined ? [] : [`${inner}/** ${commentText(field.note)} */`]),
    `${inner}${memberText(field, inner)}`,
  ])
  return `{\n${lines.join('\n')}\n${indent}}`
}

const memberText = ({ name, type, isOptional }: FieldType, indent: string): string =>
  `${memberName(name)}${isOptional ? '?' : ''}: ${typeText(type, indent)}`

/** A note is one line of a comment, and cannot end it. */
const commentText = (note: string): string =>
  note
    .replaceAll(/\s+/g, ' ')
    .replaceAll('*/', '* /')
    .trim()
    .slice(0, LINE - 20)
