export { apiKey, basic, bearer, clientCredentials, secret } from './define/auth.ts'
export { baseUrl } from './define/base-url.ts'
export { isoDate, since, unix, unixMs, until } from './define/bounds.ts'
export { http, type HttpApi, type HttpOptions } from './define/http.ts'
export { path } from './define/path.ts'
export {
  byCursor,
  byHeader,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  onePage,
} from './define/paging.ts'
export { fromData, toData, type PipelineData } from './define/data.ts'
export { describePipeline } from './define/describe.ts'
export { pipeline, type Pipeline } from './define/pipeline.ts'
export { source, type Stream } from './define/stream.ts'
export type { Flow } from './define/flow.ts'
export { Decimal } from './value/decimal.ts'
export {
  CancelledError,
  DatabaseError,
  DecodeError,
  HttpError,
  LoadError,
  PagingError,
  PositionLostError,
  RateLimitedError,
  RejectError,
  SchemaError,
  SliceLostError,
  SluiceError,
  TooManyRejectsError,
  UsageError,
} from './model/errors.ts'
export type { Json, JsonValue } from './model/json.ts'
export type { OwnPage, ReadContext, StandardSchema } from './model/recipe.ts'
export type { ApiResponse, PageRequest, NextRequest } from './model/request.ts'
export { run, type RunOptions } from './entry/run.ts'
export { backfill, type BackfillOptions } from './entry/backfill.ts'
export { RunFailedError } from './entry/run-failed-error.ts'
export type { BackfillPlan, PlannedWindow } from './run/backfill/backfill-plan.ts'
export type { BatchLimits } from './run/options.ts'
export { serve, type ServeOptions, type Server } from './server/serve.ts'
export { reportText } from './run/report/report-text.ts'
export type { Report, StreamReport } from './model/report.ts'
export type { RunEvent } from './model/event.ts'
export { runSchedule } from './entry/run-schedule.ts'
export type { ScheduleOptions } from './run/schedule/schedule.ts'
export type { ScheduleEvent } from './run/schedule/schedule-event.ts'
export type { Clock } from './run/schedule/clock.ts'
export type { Cron, Schedule } from './model/recipe.ts'
export { readStatus } from './entry/read-status.ts'
export type { StatusOptions } from './run/status/status.ts'
export type { StatusFinding, StatusReport, StreamStatus } from './run/status/stream-status.ts'
export {
  date,
  describe,
  header,
  schedule,
  sleep,
  status,
  stream,
  type Answer,
  type Asked,
} from './define/renamed-words.ts'
