import type { Job } from '../../model/job.ts'
import type { HttpSource } from '../../model/recipe.ts'

/** A source whose request starts a job. */
export type JobSource = HttpSource & { readonly job: Job }

export const isJobSource = (source: HttpSource): source is JobSource => source.job !== undefined
