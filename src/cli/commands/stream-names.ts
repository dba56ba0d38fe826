import { UsageError } from '../../model/errors.ts'

/** `billing` or `billing.customers`, as the ledger knows them: no file is needed. */
export function parseStreamName(word: string | undefined): { readonly pipeline?: string; readonly stream?: string } {
  if (word === undefined) return {}
  const [pipeline = '', ...rest] = word.split('.')
  if (!/^\w[\w-]*$/.test(pipeline) || (rest.length > 0 && !/^\w[\w-]*$/.test(rest.join('.'))))
    throw new UsageError(`${word}: name a PIPELINE or a PIPELINE.STREAM, as sluice list shows them`)
  return rest.length === 0 ? { pipeline } : { pipeline, stream: rest.join('.') }
}
