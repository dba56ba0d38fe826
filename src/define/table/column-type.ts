type Sized = `numeric(${number})` | `numeric(${number},${number})` | `numeric(${number}, ${number})`
type Text = 'text' | 'citext' | `varchar(${number})` | `char(${number})`
type Moment = 'timestamptz' | 'timestamp' | 'date' | `timestamptz(${number})`

/**
 * The types that a field's column may have. What a value holds must be castable to it; what does not fit is rejected,
 * record by record.
 */
export type ColumnType<Value> = unknown extends Value
  ? string
  : Value extends string
    ?
        | Text
        | Moment
        | Sized
        | 'uuid'
        | 'numeric'
        | 'bigint'
        | 'integer'
        | 'double precision'
        | 'boolean'
        | 'inet'
        | 'interval'
        | 'time'
        | 'json'
        | 'jsonb'
    : Value extends number
      ? 'smallint' | 'integer' | 'bigint' | 'numeric' | Sized | 'real' | 'double precision' | 'text'
      : Value extends bigint
        ? 'bigint' | 'numeric' | Sized | 'text'
        : Value extends boolean
          ? 'boolean' | 'text'
          : Value extends Date
            ? Moment | 'text'
            : 'jsonb' | 'json' | 'text'
