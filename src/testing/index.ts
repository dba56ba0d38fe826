// All that `import … from 'sluice/testing'` offers: for the tests of pipelines.
export { fakeApi, type FakeApi, type FakeApiOptions } from './fake/fake-api.ts'
export type { FakeList } from './fake/fake-list.ts'
export {
  fakeStyles,
  type FakeListOptions,
  type FakePlace,
  type FakeRecords,
  type FakeSince,
  type FakeStyle,
} from './fake/list-options.ts'
export { fakeRecords, type FakeRecord, type GeneratedRecord } from './fake/fake-records.ts'
export type { FakeAnswer, FakeRequest } from './fake/fake-request.ts'
export { FAULTS, type FaultKind, type PlannedFault, type SeededFaults } from './fake/faults.ts'
