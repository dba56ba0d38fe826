import { settleSharedKeySql, sharedKeySql } from '../../ledger/shared-keys.ts'
import { advanceSql } from '../../ledger/slices/transitions.ts'
import { writerSql } from '../../ledger/table-writers.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import type { Advance } from '../../model/batch.ts'
import { isEnd } from '../../model/page.ts'
import type { MirrorReading } from './mirror-reading.ts'
import type { SliceContext, SliceSource } from './slice-context.ts'

export interface CommitSqlOptions {
  readonly source: SliceSource
  readonly mirror: MirrorReading | undefined
}

/** The statements that commit the batches of a slice. They are sent in one query with the COMMIT. */
export class CommitSql {
  readonly #context: SliceContext
  readonly #target: TableWriter
  readonly #options: CommitSqlOptions
  /** The ledger knows that the stream stores rows in the table. */
  #isKnownWriter = false

  constructor(context: SliceContext, target: TableWriter, options: CommitSqlOptions) {
    this.#context = context
    this.#target = target
    this.#options = options
  }

  /** Returns the statements of a batch. `seq` batches are committed before it. */
  of(seq: number, advance: Advance): string {
    const { slice, stream } = this.#context
    const { source, mirror } = this.#options
    const isPart = mirror?.keptBecause === undefined
    const because = mirror?.keptBecause ?? mirror?.partBecause
    const statements = [
      isEnd(advance.position) ? source.endSql?.() : undefined,
      // An interrupted reading must not forget it.
      because === undefined ? undefined : this.#target.mirror?.keepSql(because, { isPart }),
      !this.#isKnownWriter && hasStored(advance) ? writerSql(slice, stream.table.name) : undefined,
      advance.sharedKey === undefined ? undefined : sharedKeySql(slice, stream.table, advance.sharedKey),
      advanceSql(slice, seq, advance),
      isEnd(advance.position) ? settleSharedKeySql(slice) : undefined,
    ]
    return statements.filter((sql) => sql !== undefined).join(';\n')
  }

  /** Notes that a batch is committed. */
  committed(advance: Advance): void {
    this.#isKnownWriter ||= hasStored(advance)
  }
}

const hasStored = ({ counts: { inserted, updated, unchanged } }: Advance): boolean => inserted + updated + unchanged > 0
