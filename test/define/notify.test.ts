import { expect, test } from '@jest/globals'
import { secret, toCommand, toEmail, toSlack, toWebhook } from '../../src/index.ts'
import { notifyOf, type NotifyOption } from '../../src/define/notify.ts'
import { audienceOf } from '../../src/run/notify/notify-targets.ts'

test.each<[() => unknown, string]>([
  [() => toWebhook('https://alerts.example' as never), 'toWebhook(): the address or key is a secret. Put it'],
  [() => toSlack(undefined as never), "write secret('NAME')"],
  [() => toEmail([], { from: 'a@b.example', server: secret('SMTP') }), 'toEmail(): it needs an address'],
  [() => toEmail('ops', { from: 'a@b.example', server: secret('SMTP') }), '"ops" is no address'],
  [
    () => toEmail('ops@b.example', { from: 'a@b.example', server: 'smtp://x' as never }),
    'toEmail(): server: the address',
  ],
  [() => toCommand(...([] as unknown as [string])), 'toCommand(): name the program'],
  [() => notifyOf('slack' as never, 'pipeline("a")'), 'pipeline("a"): notify is false, or toWebhook()'],
  [() => notifyOf({ to: toCommand('x'), rejects: -1 }, 'p'), 'notify.rejects is a whole number from 0, not -1'],
  [() => notifyOf({ to: toCommand('x'), reject: 1 } as never, 'p'), 'Did you mean "rejects"?'],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})

const of = (name: string, notify?: NotifyOption) => ({
  name,
  ...(notify !== undefined && { notify: notifyOf(notify, name) }),
})

test('a pipeline without a word of its own takes the variables', () => {
  const environment = {
    SLUICE_NOTIFY_SLACK: 'https://slack.example',
    SLUICE_NOTIFY_EMAIL: 'a@b.example, c@d.example',
    SLUICE_NOTIFY_FROM: 'e@f.example',
    SLUICE_SMTP_URL: 'smtp://mail.example',
  }
  const audience = audienceOf([of('a'), of('b', false), of('c', toCommand('./page.sh'))], environment)
  expect(audience?.ofPipelines).toEqual(
    new Map([
      ['a', ['slack SLUICE_NOTIFY_SLACK', 'email a@b.example, c@d.example']],
      ['c', ['command ./page.sh']],
    ]),
  )
  expect(audienceOf([of('a')], {})).toBeUndefined()
  expect(() => audienceOf([of('a')], { ...environment, SLUICE_SMTP_URL: '' })).toThrow('SLUICE_NOTIFY_EMAIL needs')
})
