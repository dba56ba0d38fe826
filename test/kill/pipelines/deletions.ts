import { deletionsPipeline } from '../deletions/pipeline.ts'

const { KILL_API: api = '', KILL_DELETIONS: deletions } = process.env

/** As the harness has set it up in the environment. */
export default deletionsPipeline({ api, deletions: deletions === 'missing' ? 'missing' : 'announced' })
