// Tries one seed, and says what is wrong.
import { Random } from '../moving/random.ts'
import type { Expected } from './expected.ts'
import { LoadedVersions } from './loaded-versions.ts'
import { MirroredVersions } from './mirrored-versions.ts'
import { MergedRows } from './merged-rows.ts'
import { keepsHistory, mirrors, scenarioOf, type Scenario } from './scenario.ts'
import { Simulation, type Target } from './simulate.ts'
import { TimedVersions } from './timed-versions.ts'

export interface Outcome {
  readonly seed: number
  readonly scenario: Scenario
  readonly log: readonly string[]
  readonly runs: number
  /** What is wrong; undefined if all is right. */
  readonly problem: string | undefined
}

/** Runs what a seed stands for, in a schema of its own. */
export async function trySeed(seed: number, target: Target): Promise<Outcome> {
  const random = new Random(seed)
  const scenario = scenarioOf(random)
  const one = new Simulation(seed, { scenario, random, target, expected: expectedOf(scenario) })
  let problem: string | undefined
  try {
    problem = await one.run()
  } catch (error) {
    problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  return { seed, scenario, log: one.log, runs: one.runs, problem }
}

function expectedOf(scenario: Scenario): Expected {
  if (!keepsHistory(scenario)) return new MergedRows(scenario)
  if (mirrors(scenario)) return new MirroredVersions(scenario)
  return scenario.timing === 'none' ? new LoadedVersions() : new TimedVersions(scenario)
}
