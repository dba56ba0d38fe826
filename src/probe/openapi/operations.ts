// The operations of a description, in one form for OpenAPI 3 and Swagger 2.0.
import type { Description } from './description.ts'
import { isNode, listAt, type Node, nodeAt, nodeOf, numberAt, textAt } from './node.ts'

export interface Operation {
  /** In capitals, such as `GET`. */
  readonly method: string
  readonly path: string
  readonly node: Node
  readonly parameters: readonly ParameterOf[]
  readonly isDeprecated: boolean
  /** The first sentence of what it says about itself. @default none */
  readonly summary?: string
}

export interface ParameterOf {
  readonly name: string
  readonly in: string
  readonly isRequired: boolean
  readonly description: string
  /** Its type, with format, default, maximum and enum. */
  readonly schema: unknown
  /** A list is sent as several parameters of one name. @default true */
  readonly explode: boolean
  /** A value that the description shows. @default none */
  readonly example?: unknown
}

/** The answer that an operation gives if all went well. */
export interface Answer {
  /** The schema of the body. @default not stated */
  readonly schema?: unknown
  /** The type of the body that the schema is for. @default not stated */
  readonly contentType?: string
  /** Names of its headers, in lower case. */
  readonly headers: readonly string[]
  /** Values that the description shows as the body. */
  readonly examples: readonly unknown[]
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace', 'query']

/** Returns all operations, in the order of the description. */
export function operationsOf(description: Description): Operation[] {
  return Object.entries(nodeAt(description.root, 'paths')).flatMap(([path, given]) => {
    const item = description.nodeOf(given)
    return METHODS.filter((method) => isNode(item[method])).map((method) =>
      operationOf(description, path, method, item),
    )
  })
}

function operationOf(description: Description, path: string, method: string, item: Node): Operation {
  const node = nodeAt(item, method)
  // A parameter of the operation replaces that of its path.
  const parameters = new Map<string, ParameterOf>()
  for (const given of [...listAt(item, 'parameters'), ...listAt(node, 'parameters')]) {
    const parameter = parameterOf(description.nodeOf(given), description)
    if (parameter) parameters.set(`${parameter.in} ${parameter.name}`, parameter)
  }
  const summary = firstSentence(textAt(node, 'summary') ?? textAt(node, 'description') ?? '')
  return {
    method: method.toUpperCase(),
    path: path.startsWith('/') ? path : `/${path}`,
    node,
    parameters: [...parameters.values()],
    isDeprecated: node['deprecated'] === true,
    ...(summary !== '' && { summary }),
  }
}

function parameterOf(node: Node, description: Description): ParameterOf | undefined {
  const [name, place] = [textAt(node, 'name'), textAt(node, 'in')]
  if (name === undefined || place === undefined) return undefined
  const [content] = Object.values(nodeAt(node, 'content'))
  // Swagger 2.0 writes the words of the type beside the name.
  const schema = node['schema'] ?? nodeOf(content)['schema'] ?? node
  const own = description.nodeOf(schema)
  const [shown] = Object.values(nodeAt(node, 'examples')).map((one) => description.nodeOf(one)['value'])
  const example = node['example'] ?? shown ?? own['example'] ?? listAt(own, 'examples')[0]
  return {
    name,
    in: place,
    isRequired: node['required'] === true,
    description: textAt(node, 'description') ?? textAt(own, 'description') ?? '',
    schema,
    explode: node['explode'] !== false,
    ...(example !== undefined && { example }),
  }
}

/** Returns the answer of the first success status; an answer without a schema if none is described. */
export function answerOf(operation: Operation, description: Description): Answer {
  const responses = nodeAt(operation.node, 'responses')
  const status = ['200', '2XX', '2xx', '206', '201', '203'].find((name) => isNode(responses[name]))
  // Beside a success, `default` is an error.
  const other = Object.keys(responses).some((name) => name.startsWith('2')) ? undefined : 'default'
  const response = description.nodeOf(responses[status ?? other ?? ''])
  const headers = Object.keys(nodeAt(response, 'headers')).map((name) => name.toLowerCase())
  const body = description.isSwagger ? bodyOfSwagger(response, operation, description) : bodyOf(response, description)
  return { headers, ...body }
}

function bodyOf(response: Node, description: Description): Omit<Answer, 'headers'> {
  const content = Object.entries(nodeAt(response, 'content'))
  const found = content.find(([type]) => isJson(type)) ?? content.find(([type]) => type.startsWith('*/*')) ?? content[0]
  if (!found) return { examples: [] }
  const [contentType, media] = found
  const node = nodeOf(media)
  const shown = Object.values(nodeAt(node, 'examples')).map((one) => description.nodeOf(one)['value'])
  const { schema } = node
  return {
    contentType: contentType.startsWith('*/*') ? 'application/json' : contentType,
    ...(schema !== undefined && { schema }),
    examples: [node['example'], ...shown].filter((one) => one !== undefined),
  }
}

function bodyOfSwagger(response: Node, { node }: Operation, description: Description): Omit<Answer, 'headers'> {
  const own = listAt(node, 'produces')
  const produced = (own.length > 0 ? own : listAt(description.root, 'produces')).filter(
    (type) => typeof type === 'string',
  )
  const contentType = produced.find(isJson) ?? produced.find((type) => !type.startsWith('*/*')) ?? 'application/json'
  const { schema } = response
  return { contentType, ...(schema !== undefined && { schema }), examples: Object.values(nodeAt(response, 'examples')) }
}

/** True for `application/json`, `application/hal+json; charset=utf-8` and the like. */
export const isJson = (contentType: string): boolean => /^[^;]*[/+]json\b/i.test(contentType)

/** Returns the number of a parameter's word, such as its maximum. */
export function numberOf(schema: Node, name: 'maximum' | 'minimum' | 'default'): number | undefined {
  const value = numberAt(schema, name)
  if (value !== undefined) return value
  const text = textAt(schema, name)
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined
}

const MAX_SUMMARY = 160

function firstSentence(text: string): string {
  const plain = text
    .replaceAll(/<[^>]*>|[`*#]/g, '')
    .trim()
    .split(/\n\s*\n|\r\n\s*\r\n/, 1)[0]
  const [sentence = ''] = /^.*?[.!?](?=\s|$)/s.exec(plain ?? '') ?? [plain]
  const one = sentence.replaceAll(/\s+/g, ' ').trim()
  return one.length > MAX_SUMMARY ? `${one.slice(0, MAX_SUMMARY - 1)}…` : one
}
