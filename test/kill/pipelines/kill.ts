import { killPipeline } from '../kill-pipeline.ts'
import type { RunSettings } from '../sluice.ts'

const { KILL_API: api = '', KILL_WRITE: write, KILL_NAME: name } = process.env

/** As the harness has set it up in the environment. */
export default killPipeline({ api, write: write as RunSettings['write'], name })
