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
export {
  expectStream,
  type ExpectedReject,
  type PartOf,
  type StreamExpectation,
  type YieldOptions,
} from './expect/expect-stream.ts'
export type { ReadingOptions, TestReading } from './expect/read-flow.ts'
export type { Answers, AnswerSource } from './answers/answer-source.ts'
export { accountOf, type AccountOfOptions } from './accounts/account-of.ts'
export { record, type Recorded, type RecordOptions } from './fixtures/record.ts'
export { replay, type Replay } from './fixtures/replay.ts'
export type { FieldRule, PatternRule, RecordRule, Removed } from './fixtures/rules.ts'
export type { WriteOptions } from './expect/to-write.ts'
export { loaded, type Loaded, type LoadedOptions } from './write/loaded.ts'
export type { StoredRow } from './write/stored-rows.ts'
export { temporaryDatabase, type TemporaryDatabase, type TemporaryDatabaseOptions } from './write/temporary-database.ts'
