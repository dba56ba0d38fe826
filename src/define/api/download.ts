import { UsageError } from '../../model/errors.ts'
import type { Format } from '../../model/format.ts'
import { valuesAt } from '../../model/path.ts'
import type { Download, HttpSource, Recipe, Stage } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkFormat } from './formats.ts'
import type { RecordsFrom } from './record-shapes.ts'

/** Options of `.download()`. */
export interface DownloadOptions<T> {
  /** The form of the file. @default by its content type, or by the ending of its name */
  format?: Format
  /** The place of the records in the file. @default the file itself is the list */
  records?: string | RecordsFrom<T>
  /** Files that are read at once. @default 1 */
  concurrency?: number
}

/** Throws for an option that does not exist. */
export function checkDownloadOptions(options: object): void {
  rejectUnknownOptions('.download()', options, OPTIONS)
}

const OPTIONS: OptionNames<DownloadOptions<never>> = { format: true, records: true, concurrency: true }

/**
 * Returns the stage that reads the file whose URL each record has at a path. The requests are those of the API of the
 * records: to its own origin with its credentials, to other ones that it allows without.
 */
export function downloadStage<T>(
  { source }: Recipe,
  at: string,
  { format, records = '', concurrency = 1 }: DownloadOptions<T>,
): Stage {
  if (typeof at !== 'string' || at === '')
    throw new UsageError(".download(): give the path of the URL in the record, such as 'file.url'")
  if (!('api' in source)) throw new UsageError('.download(): only the records of an http() API name files')
  if (format !== undefined) checkFormat('.download(): format', format)
  const download: Download = Object.freeze({ at, records, ...defined({ format }) })
  const { api } = source
  return {
    type: 'flatMap',
    fn: (record: unknown) => {
      const recipe: Recipe = { source: fileSource(api, valuesAt(record, at), download), stages: [] }
      return { recipe }
    },
    concurrency,
    download,
  }
}

function fileSource(
  api: HttpSource['api'],
  [url, ...more]: readonly unknown[],
  { at, format, records }: Download,
): HttpSource {
  // The last one alone would be a part of the files, and look like all.
  if (more.length > 0)
    throw new TypeError(
      `'${at}' leads through a list of ${more.length + 1} files. ` +
        "Make records of the list: .records('list').download('url')",
    )
  if (typeof url !== 'string' || url === '') throw new TypeError(`'${at}' holds no URL of a file`)
  return {
    api,
    // The path stands for the URL, which is different for each file and may expire.
    request: { method: 'GET', path: `/{file at ${at}}`, file: url, ...defined({ format }) },
    paging: { type: 'one page' },
    records,
  }
}
