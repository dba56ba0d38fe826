// What `list --verbose` says of a table.
import type { ChildList, Children } from '../../model/nested.ts'
import type { Table, TableIndex } from '../../model/recipe.ts'

/** Returns a table and how it is written, as in `shop.orders (merge on id)`. */
export function tableText({ name, account, key: own, write, versionBy, isVersionOptional, ...more }: Table): string {
  const { onSchemaChange, complete, adopt, indexes = [], absent, insertOnly, ignoreChanges, lineage, flatten } = more
  const { deleted, undo, children, views, overflow, mirror, mostDeletes, partition } = more
  const key = account && own.length > 0 ? [account.name, ...own] : own
  const versions = write === 'history' ? `a version for each ${versionBy}` : `the greater ${versionBy} stays`
  const details = [
    [write, key.length > 0 && `on ${key.join(', ')}`].filter(Boolean).join(' '),
    versionBy !== undefined && `${versions}${isVersionOptional ? ', where rows have it' : ''}`,
    absent === 'keep' && 'absent fields stay',
    insertOnly && `only at insert: ${insertOnly.join(', ')}`,
    ignoreChanges && `no change by ${ignoreChanges.join(', ')} alone`,
    flatten && `flattened: ${Object.keys(flatten).join(', ')}`,
    children && `lists of their own: ${listsText(children)}`,
    lineage === true && 'with lineage',
    onSchemaChange !== 'evolve' && `columns: ${onSchemaChange}`,
    complete !== undefined && `complete: ${complete}`,
    deleted !== undefined && `deleted: ${deleted}`,
    mirror && `a mirror${mirror.rowsOf ? `, also of rows of ${mirror.rowsOf.join(', ')}` : ''}`,
    mostDeletes !== undefined && `most deletes: ${mostDeletes}`,
    undo !== undefined && `undo: ${undo}`,
    adopt === true && 'adopted',
    partition && `divided by ${partition.by}, every ${partition.every}`,
    views !== undefined && `views: ${views}`,
    overflow && `${overflow.columns} columns, the rest in ${overflow.column}`,
    indexes.length > 0 && `indexed by ${indexes.map(indexText).join(', ')}`,
  ]
  return `${name} (${details.filter(Boolean).join('; ')})`
}

/** As in `lines on line (discounts by place)`. */
const listsText = (children: Children): string =>
  Object.entries(children)
    .flatMap(([field, list]) =>
      list
        ? [`${field} ${list.key === undefined ? 'by place' : `on ${[list.key].flat().join(', ')}`}${insideText(list)}`]
        : [],
    )
    .join(', ')

const insideText = ({ children }: ChildList): string => (children ? ` (${listsText(children)})` : '')

const indexText = ({ on, using, where }: TableIndex): string =>
  [on.length === 1 ? on[0] : `(${on.join(', ')})`, using && `using ${using}`, where && `where ${where}`]
    .filter(Boolean)
    .join(' ')
