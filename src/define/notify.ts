import { UsageError } from '../model/errors.ts'
import type { Notify, NotifyTarget } from '../model/notify.ts'
import type { Secret } from '../model/request.ts'
import { isSecret } from '../model/secrets-of.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import { defined } from '../value/defined.ts'

/** What `pipeline()` takes as `notify`. */
export type NotifyOption =
  | NotifyTarget
  | readonly NotifyTarget[]
  | false
  | {
      readonly to: NotifyTarget | readonly NotifyTarget[]
      /** More waiting rejects of a stream than this are a problem. @default only if a run has rejected everything */
      readonly rejects?: number
    }

/**
 * Sends alarms as JSON to a URL. With `signWith`, a request carries the headers of standardwebhooks.com, by which its
 * receiver knows that it comes from you.
 *
 * @example
 * pipeline('billing', { notify: toWebhook(secret('ALERTS_URL'), { signWith: secret('ALERTS_KEY') }), streams })
 */
export function toWebhook(url: Secret, options: { readonly signWith?: Secret } = {}): NotifyTarget {
  rejectUnknownOptions('toWebhook()', options, { signWith: true })
  const { signWith } = options
  if (signWith !== undefined) named('toWebhook(): signWith', signWith)
  return Object.freeze({ type: 'webhook', url: named('toWebhook()', url), ...defined({ signWith }) })
}

/**
 * Sends alarms to an incoming webhook of Slack, or of what takes the same form, such as Mattermost or Rocket.Chat.
 *
 * @example
 * pipeline('billing', { notify: toSlack(secret('SLACK_URL')), streams })
 */
export const toSlack = (url: Secret): NotifyTarget => Object.freeze({ type: 'slack', url: named('toSlack()', url) })

/** Options of `toEmail()`. */
export interface EmailOptions {
  /** The address of the sender. */
  readonly from: string
  /** The mail server: `smtp://user:password@host:587`, or `smtps://`. */
  readonly server: Secret
}

/**
 * Sends alarms by e-mail.
 *
 * @example
 * toEmail('ops@example.com', { from: 'sluice@example.com', server: secret('SMTP_URL') })
 */
export function toEmail(to: string | readonly string[], options: EmailOptions): NotifyTarget {
  rejectUnknownOptions('toEmail()', options, EMAIL_OPTIONS)
  const { from, server } = options ?? {}
  const all = [to].flat()
  const wrong = [...all, from].find((address) => typeof address !== 'string' || !/^[^\s@]+@[^\s@]+$/.test(address))
  if (all.length === 0 || wrong !== undefined)
    throw new UsageError(
      `toEmail(): ${wrong === undefined ? 'it needs an address' : `${JSON.stringify(wrong)} is no address`}. Write ` +
        "toEmail('ops@example.com', { from: 'sluice@example.com', server: secret('SMTP_URL') })",
    )
  return Object.freeze({ type: 'email', to: Object.freeze(all), from, server: named('toEmail(): server', server) })
}

/**
 * Runs a program for alarms. It gets the alarm as JSON on stdin and as text in `SLUICE_NOTICE`. It is not run by a
 * shell.
 *
 * @example
 * pipeline('billing', { notify: toCommand('./page-me.sh', 'billing'), streams })
 */
export function toCommand(...words: readonly [string, ...string[]]): NotifyTarget {
  if (words.length === 0 || words.some((word) => typeof word !== 'string') || words[0] === '')
    throw new UsageError("toCommand(): name the program and its arguments, as in toCommand('./page-me.sh', 'billing')")
  return Object.freeze({ type: 'command', words: Object.freeze([...words]) })
}

/** Returns what an option means. Throws a UsageError for what the types cannot refuse. */
export function notifyOf(given: NotifyOption, place: string): Notify {
  const fault = (text: string): UsageError => new UsageError(`${place}: ${text}`)
  if (given === false) return Object.freeze({ to: Object.freeze([]) })
  const isWhole = typeof given === 'object' && given !== null && 'to' in given && !('type' in given)
  const { to, rejects } = isWhole ? given : { to: given }
  if (isWhole) rejectUnknownOptions(`${place}: notify`, given, NOTIFY_OPTIONS)
  const all = [to].flat() as readonly NotifyTarget[]
  if (all.some((one) => typeof one !== 'object' || one === null || !TYPES.has(one.type)))
    throw fault('notify is false, or toWebhook(), toSlack(), toEmail() or toCommand(), or a list of these')
  if (rejects !== undefined && !(Number.isInteger(rejects) && rejects >= 0))
    throw fault(`notify.rejects is a whole number from 0, not ${String(rejects)}`)
  return Object.freeze({ to: Object.freeze([...all]), ...defined({ rejects }) })
}

function named(place: string, part: Secret): Secret {
  if (isSecret(part)) return part
  throw new UsageError(
    `${place}: the address or key is a secret. Put it into the environment, and write secret('NAME')`,
  )
}

const TYPES: ReadonlySet<NotifyTarget['type']> = new Set(['webhook', 'slack', 'email', 'command'])
const EMAIL_OPTIONS: OptionNames<EmailOptions> = { from: true, server: true }
const NOTIFY_OPTIONS: OptionNames<Extract<NotifyOption, { readonly rejects?: number }>> = { to: true, rejects: true }
