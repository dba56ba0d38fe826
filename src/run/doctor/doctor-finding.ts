import type { Database } from '../../database/database.ts'
import type { SchemaState } from '../../database/migrate.ts'
import type { Secrets } from '../../model/scope.ts'
import type { FoundPipeline } from '../find-pipelines.ts'

/** What one check of `sluice doctor` says. A problem has its remedy in the text. */
export interface DoctorFinding extends Said {
  /** The name of the check, such as `clock`. */
  readonly check: string
}

export interface Said {
  readonly type: 'ok' | 'note' | 'problem'
  readonly text: string
}

export const ok = (text: string): Said => ({ type: 'ok', text })
export const note = (text: string): Said => ({ type: 'note', text })
export const problem = (text: string): Said => ({ type: 'problem', text })

/** Returns what was found, or the good news if nothing was. */
export const saidOr = (good: string, found: readonly Said[]): readonly Said[] => (found.length > 0 ? found : [ok(good)])

/** What checks know that need no database. */
export interface ProjectContext {
  readonly found: readonly FoundPipeline[]
  /** Variables, with those of all accounts. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly secrets: Secrets
  /** The clock of this machine, in milliseconds since 1970. */
  readonly now: () => number
}

export interface CheckContext extends ProjectContext {
  readonly database: Database
  readonly state: SchemaState
}

/** One question. It throws for what keeps it from finding out. */
export interface DoctorCheck<Context> {
  readonly name: string
  readonly look: (context: Context, signal: AbortSignal) => Promise<readonly Said[]>
}
