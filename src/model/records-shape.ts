// Records that are not simply the objects of a list: how they are made of a body. Plain data.

export type RecordsShape =
  /** A list of rows, each a list of values. */
  | {
      readonly type: 'rows'
      readonly at: string
      /** The path of the names, or the names. @default the first row */
      readonly header?: string | readonly string[]
      /** A row is an object of lists: for each of them, by its name, the path of its names. */
      readonly lists?: Readonly<Record<string, string>>
      /** The member of a cell that holds its value. */
      readonly value?: string
    }
  /** The body itself, as the only record. */
  | { readonly type: 'body' }
  /** The members of an object. */
  | {
      readonly type: 'members'
      readonly at: string
      /** The field that holds the name of the member. */
      readonly key: string
      /** The field that holds a value that is no object. */
      readonly value: string
    }
  /** The elements of all lists at a path that leads through lists. */
  | { readonly type: 'lists'; readonly at: string }
  /** The resources of a JSON:API document, each with its attributes and its relationships as fields. */
  | { readonly type: 'resources'; readonly at: string }
  /** The resources of one type in `included` of a JSON:API document. */
  | { readonly type: 'included'; readonly of: string }

/** Returns what `list --verbose` says of a shape, as `rows of values`. */
export function shapeText(shape: RecordsShape): string {
  switch (shape.type) {
    case 'rows': {
      const { header, lists } = shape
      if (lists)
        return `${placeText('rows', shape.at)}, ${Object.entries(lists)
          .map(([name, names]) => `${name} named by ${names}`)
          .join(', ')}`
      const names = typeof header === 'string' ? header : header?.join(', ')
      return `${placeText('rows', shape.at)}, named by ${names ?? 'the first one'}`
    }
    case 'body':
      return 'the body as one record'
    case 'members':
      return `${placeText('members', shape.at)}, their names as ${shape.key}`
    case 'lists':
      return `all lists at ${shape.at}`
    case 'resources':
      return placeText('JSON:API resources', shape.at)
    case 'included':
      return `JSON:API resources of type ${shape.of} in included`
  }
}

const placeText = (what: string, at: string): string => `${what} of ${at === '' ? 'the body itself' : at}`
