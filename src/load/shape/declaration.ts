import type { ColumnDeclaration, Table } from '../../model/recipe.ts'

/** What a definition says of a field's column. A field may be named `constructor`, which every object seems to have. */
export const declarationOf = ({ columns }: Table, field: string): ColumnDeclaration | undefined =>
  Object.hasOwn(columns, field) ? columns[field] : undefined
