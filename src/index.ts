// All that `import … from 'sluice'` offers. It loads the words of src/define alone: run, backfill, serve and their like
// load the engine when they are called.

// Words of a pipeline file.
export {
  apiKey,
  awsSignature,
  basic,
  bearer,
  clientCertificate,
  clientCredentials,
  secret,
  signed,
  type ClientCredentialsOptions,
} from './define/api/auth.ts'
export { refreshToken, type RefreshTokenOptions } from './define/api/refresh-token.ts'
export { csv, json, ndjson, xml, zip, type CsvOptions, type XmlOptions, type ZipOptions } from './define/api/formats.ts'
export type { DownloadOptions } from './define/api/download.ts'
export { filePart, type FilePartOptions, type MultipartFields } from './define/api/file-part.ts'
export { baseUrl } from './define/api/base-url.ts'
export { asNumber, formatTime, isoDate, since, text, unix, unixMs, until, utc } from './define/api/bounds.ts'
export { inBatches, type Batches, type BatchOptions } from './define/batches.ts'
export { time, type TimeColumn, type TimeOptions } from './define/table/time.ts'
export type { ColumnType } from './define/table/column-type.ts'
export { fromData, toData, type PipelineData } from './define/data.ts'
export { describePipeline } from './define/describe.ts'
export type { Endpoint, Pages, PagesOptions, RecordsOptions } from './define/api/endpoint.ts'
export type { Flow } from './define/flow.ts'
export type { ExportJob, JobOptions } from './define/api/job.ts'
export type { GraphqlOptions } from './define/api/graphql.ts'
export { http, type HttpApi } from './define/api/http.ts'
export type { HttpOptions, PostOptions, RequestOptions } from './define/api/http-options.ts'
export type { Comparable, IncrementalOptions } from './define/incremental.ts'
export {
  byContinue,
  byCursor,
  byHeader,
  byLastRecord,
  byLinkHeader,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  bySince,
  inHeader,
  onePage,
  type BySinceOptions,
} from './define/api/paging.ts'
export { path, type Path } from './define/api/path.ts'
export {
  fromIncluded,
  fromLists,
  fromMembers,
  fromResources,
  fromRows,
  type RecordsFrom,
  type RowRecord,
} from './define/api/record-shapes.ts'
export type { ResponseRule } from './define/api/response-rules.ts'
export { googleServiceAccount, jwt, type GoogleServiceAccountOptions, type JwtOptions } from './define/api/jwt.ts'
export { inCookie, session, type SessionOptions } from './define/api/session.ts'
export {
  pipeline,
  type AccountsPipeline,
  type AccountsPipelineOptions,
  type Flows,
  type Pipeline,
  type PipelineOptions,
} from './define/pipeline.ts'
export type { Account } from './define/accounts/account.ts'
export { toCommand, toEmail, toSlack, toWebhook, type EmailOptions, type NotifyOption } from './define/notify.ts'
export { accounts, type Accounts, type AccountsOptions } from './define/accounts/accounts.ts'
export type { DedupeOptions, StageOptions } from './define/stage-options.ts'
export { source, type Records, type Stream } from './define/stream.ts'
export type { TableOptions } from './define/table/table-options.ts'
export { Decimal } from './value/decimal.ts'

// What a program does with a pipeline.
export { backfill, type BackfillAccountsOptions, type BackfillOptions } from './entry/backfill.ts'
export { diff, type DiffOptions } from './entry/diff.ts'
export { readStatus } from './entry/read-status.ts'
export { run, type RunAccountsOptions, type RunOptions } from './entry/run.ts'
export { AccountsFailedError, RunFailedError } from './entry/run-failed-error.ts'
export { runSchedule } from './entry/run-schedule.ts'
export { reportText } from './run/report/report-text.ts'
export { serve, type ServeOptions, type Server } from './server/serve.ts'
export { verify, type VerifyOptions } from './entry/verify.ts'

// Errors that a program may catch.
export {
  CancelledError,
  DatabaseError,
  DecodeError,
  HttpError,
  IncompleteError,
  JobError,
  LoadError,
  PagingError,
  PausedError,
  PositionLostError,
  RateLimitedError,
  RejectError,
  SchemaError,
  SliceLostError,
  SluiceError,
  TooManyDeletesError,
  TooManyRejectsError,
  UsageError,
  type HttpErrorKind,
} from './model/errors.ts'

// Types for functions that help to write pipelines, and for what a program gets back.
export type { Counts } from './model/batch.ts'
export type { Completeness, Grade } from './model/completeness.ts'
export type { DifferenceSample } from './model/difference.ts'
export type { RunEvent } from './model/event.ts'
export type { Format, TextFormat } from './model/format.ts'
export type { FileBytes, FilePart } from './model/file-part.ts'
export type { GraphqlErrors, PersistedQuery } from './model/graphql.ts'
export type { Json, JsonValue } from './model/json.ts'
export type {
  CatchUp,
  Cron,
  OwnCompleteness,
  OwnPage,
  Overlap,
  ReadContext,
  Schedule,
  StandardSchema,
  WriteMode,
} from './model/recipe.ts'
export type { Incident, Notice, Notify, NotifyTarget } from './model/notify.ts'
export type { AccountsReport, Report, StreamReport } from './model/report.ts'
export type {
  ApiResponse,
  Auth,
  Bound,
  BoundText,
  Duration,
  InHeader,
  NextRequest,
  PageRequest,
  Paging,
  PathTemplate,
  Query,
  Range,
  LimitHeaders,
  Rate,
  RateLimit,
  RateLimits,
  Secret,
  Size,
} from './model/request.ts'
export type { RequestToSign, Sign, Signature } from './model/signature.ts'
export type { RuleAction, RuleResponse, StatusClass, StatusMatch, WaitUnit } from './model/response-rule.ts'
export type { JwtAlgorithm, JwtGrant } from './model/jwt.ts'
export type { InCookie, Lifetime, LoginValue, SendAs } from './model/session.ts'
export type { BackfillPlan, PlannedWindow } from './run/backfill/backfill-plan.ts'
export type { BatchLimits, StatusOptions } from './run/options.ts'
export type { Clock } from './run/schedule/clock.ts'
export type { ScheduleOptions } from './run/schedule/schedule.ts'
export type { AccountsChange } from './run/accounts/live-accounts.ts'
export type { ScheduleEvent } from './run/schedule/schedule-event.ts'
export type { DiffReport, ListDiff, StreamDiff } from './run/verify/stream-diff.ts'
export type {
  Repair,
  StreamVerification,
  VerifiedCounts,
  VerifiedList,
  VerifiedWindow,
  VerifyReport,
} from './run/verify/verification.ts'
export type {
  StatusFinding,
  StatusReport,
  StatusWait,
  StatusWaiting,
  StatusWork,
  StatusWorker,
  StreamStatus,
} from './run/status/stream-status.ts'

// Names of version 0.1: each says what its name is now.
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
