import type { Notice, NotifyTarget } from '../model/notify.ts'
import type { Secrets } from '../model/scope.ts'
import { noticeSubject, noticeText } from './notice-text.ts'
import { callUrl } from './call-url.ts'
import { runProgram } from './run-program.ts'
import { signatureHeaders } from './signature.ts'

export interface SendOptions {
  readonly secrets: Secrets
  /** Proxies, and what a program inherits. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** One attempt to send takes at most this long. */
export const SEND_MS = 30_000

/** Sends a notice to one target. Throws an error with the reason if it was not accepted. */
export async function sendNotice(
  notice: Notice,
  target: NotifyTarget,
  { secrets, environment, signal }: SendOptions,
): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(SEND_MS)])
  const subject = noticeSubject(notice)
  const text = noticeText(notice)
  switch (target.type) {
    case 'webhook': {
      const body = JSON.stringify({ ...notice, subject, text })
      const key = target.signWith && secrets.value(target.signWith.secret)
      const headers = key === undefined ? { 'webhook-id': notice.id } : signatureHeaders(notice, body, key)
      return callUrl(secrets.value(target.url.secret), { body, headers, environment, signal: limited })
    }
    case 'slack': {
      const body = JSON.stringify({ text: `*${escaped(subject)}*\n${escaped(text)}` })
      return callUrl(secrets.value(target.url.secret), { body, environment, signal: limited })
    }
    case 'email': {
      const { sendEmail } = await import('./send-email.ts')
      return sendEmail(
        { ...target, server: secrets.value(target.server.secret), subject, text, id: notice.id },
        limited,
      )
    }
    case 'command':
      return runProgram(target.words, {
        input: JSON.stringify(notice),
        environment: { ...environment, SLUICE_NOTICE: text },
        signal: limited,
      })
  }
}

/** What Slack reads as a mark of its own. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
