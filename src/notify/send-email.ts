import { createTransport } from 'nodemailer'
import { onAbort } from '../flow/signals/on-abort.ts'
import { UsageError } from '../model/errors.ts'

export interface Email {
  readonly to: readonly string[]
  readonly from: string
  /** The address of the mail server, with user and password. */
  readonly server: string
  readonly subject: string
  readonly text: string
  /** The same for each attempt, so that mail programs show one message. */
  readonly id: string
}

/** Sends a message by SMTP. Throws if the server does not take it for every receiver. */
export async function sendEmail({ server, to, id, ...message }: Email, signal: AbortSignal): Promise<void> {
  // The message leaves the value out: it holds a password.
  if (!/^smtps?:\/\//.test(server) || !URL.canParse(server))
    throw new UsageError('its mail server is not a URL such as smtp://user:password@mail.example:587')
  const transport = createTransport(server)
  using _ = onAbort(signal, () => transport.close())
  try {
    const { rejected } = await transport.sendMail({
      ...message,
      to: [...to],
      messageId: `<${id}@sluice>`,
      headers: { 'auto-submitted': 'auto-generated' },
    })
    if (rejected.length > 0) throw new Error(`the server did not take it for ${rejected.length} of its receivers`)
  } finally {
    transport.close()
  }
}
