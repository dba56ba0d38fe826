import type { Decimal } from '../value/decimal.ts'

/** A value of JSON. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined }

/** `T` as it is decoded: a number that a double cannot hold is a `bigint` or a `Decimal`. */
export type Json<T> = T extends number
  ? number | bigint | Decimal
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Json<T[Name]> }
      : T
