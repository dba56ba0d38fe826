// Builders of JSON Schemas that also carry a TypeScript type: one description validates and serializes at run time,
// is the OpenAPI document, and types the routes, the serializers and the page.

declare const VALUE: unique symbol

/** A JSON Schema of values of one type. `[VALUE]` exists for the compiler only. */
export interface Schema<Value> {
  readonly [VALUE]?: Value
}

/** The type that a schema describes; `unknown` for anything else. */
export type Infer<Described> = Described extends Schema<infer Value> ? Value : unknown

type Members = Readonly<Record<string, Schema<unknown>>>
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- an object without members is meant
type None = Record<never, never>
type Flat<Type> = { readonly [Name in keyof Type]: Type[Name] }
type Values<Of extends Members> = { readonly [Name in keyof Of]: Infer<Of[Name]> }

const schema = <Value>(json: object): Schema<Value> => json

export const text = schema<string>({ type: 'string' })
export const flag = schema<boolean>({ type: 'boolean' })
export const number = schema<number>({ type: 'number' })

export const textLike = (rules: {
  readonly pattern?: RegExp
  readonly minLength?: number
  readonly maxLength?: number
}): Schema<string> =>
  schema({ type: 'string', ...rules, ...(rules.pattern !== undefined && { pattern: rules.pattern.source }) })

export const integer = (rules: { readonly minimum: number; readonly maximum: number }): Schema<number> =>
  schema({ type: 'integer', ...rules })

export const oneOf = <const Words extends readonly string[]>(...words: Words): Schema<Words[number]> =>
  schema({ type: 'string', enum: words })

export const list = <Item>(
  items: Schema<Item>,
  rules: { readonly minItems?: number; readonly maxItems?: number } = {},
): Schema<readonly Item[]> => schema({ type: 'array', items, ...rules })

/** An object whose member names are data, as in `{ orders: …, customers: … }`. */
export const record = <Value>(value: Schema<Value>): Schema<Readonly<Record<string, Value>>> =>
  schema({ type: 'object', additionalProperties: value })

/** An object that is passed on as it was stored; another version of Sluice may have written it. */
export const stored = <Value extends object>(): Schema<Value> => schema({ type: 'object', additionalProperties: true })

export const nullable = <Value>(inner: Schema<Value>): Schema<Value | null> => {
  const { type, enum: words } = inner as { readonly type: string; readonly enum?: readonly string[] }
  return schema({ ...inner, type: [type, 'null'], ...(words && { enum: [...words, null] }) })
}

export const described = <Value>(inner: Schema<Value>, description: string): Schema<Value> =>
  schema({ ...inner, description })

export const withDefault = <Value>(inner: Schema<Value>, value: NoInfer<Value>): Schema<Value> =>
  schema({ ...inner, default: value })

/**
 * An object of exactly these members. `optional` ones may be missing. `defaulted` ones may be missing from a request,
 * and have a value after its validation.
 */
export const object = <Required extends Members, Optional extends Members = None, Defaulted extends Members = None>(
  required: Required,
  { optional, defaulted }: { readonly optional?: Optional; readonly defaulted?: Defaulted } = {},
): Schema<Flat<Values<Required> & Values<Defaulted> & Partial<Values<Optional>>>> =>
  schema({
    type: 'object',
    properties: { ...required, ...optional, ...defaulted },
    required: Object.keys(required),
    additionalProperties: false,
  })

/** Headers of a request: any others are allowed beside these. */
export const headers = <Optional extends Members>(optional: Optional): Schema<Flat<Partial<Values<Optional>>>> =>
  schema({ ...object({}, { optional }), additionalProperties: true })
