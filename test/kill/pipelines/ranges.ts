import { rangesPipeline } from '../ranges-pipeline.ts'

const { KILL_API: api = '', KILL_START: startFrom = '', KILL_WRITE: write } = process.env

/** As the harness has set it up in the environment. */
export default rangesPipeline({ api, startFrom, write: write === 'append' ? 'append' : 'merge' })
