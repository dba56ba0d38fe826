import { pipeline } from '../../../src/index.ts'
import { recordsOf } from '../../moving/reading.ts'
import type { Scenario } from '../../moving/scenario.ts'

const { KILL_API: api = '', KILL_SCENARIO: given = '' } = process.env
const scenario = JSON.parse(given) as Scenario
const records = recordsOf(scenario, api)

const flowOf = () => {
  switch (scenario.write) {
    case 'merge':
      return records.into('kill.moving', { key: 'id' })
    case 'append by key':
      return records.into('kill.moving', { key: 'id', write: 'append' })
    case 'append':
      return records.into('kill.moving', { write: 'append' })
    case 'replace':
      return records.into('kill.moving', { key: 'id', write: 'replace', complete: 'any', allowEmpty: true })
  }
}

/** As the harness has set it up in the environment. */
export default pipeline('moving', { streams: { rows: flowOf() } })
