import { describe, expect, test } from '@jest/globals'
import { time } from '../../src/index.ts'
import { Decimal } from '../../src/value/decimal.ts'
import { TimeReader, type TimeForm } from '../../src/value/time-form.ts'

const read = (form: string | TimeForm, value: unknown): string =>
  new TimeReader(typeof form === 'string' ? { form } : form).read(value)

describe('a time of another form than ISO 8601', () => {
  test.each<[string | TimeForm, unknown, string]>([
    ['unix', 1_700_000_000, '2023-11-14T22:13:20Z'],
    ['unix', '1512085950.000216', '2017-11-30T23:52:30.000216Z'],
    ['unix', new Decimal('1512085950.0002160000001'), '2017-11-30T23:52:30.0002160000001Z'],
    ['unix', 0n, '1970-01-01T00:00:00Z'],
    ['unix', -0.25, '1969-12-31T23:59:59.75Z'],
    ['unix', '-62135596800', '0001-01-01T00:00:00Z'],
    ['unix ms', 1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
    ['unix ms', 5, '1970-01-01T00:00:00.005Z'],
    ['unix ms', -1, '1969-12-31T23:59:59.999Z'],
    ['/Date()/', '/Date(1764237600000+0000)/', '2025-11-27T10:00:00Z'],
    ['/Date()/', '/Date(-1)/', '1969-12-31T23:59:59.999Z'],
    ['rfc 2822', 'Fri, 24 May 2019 17:44:46 +0000', '2019-05-24T17:44:46Z'],
    ['rfc 2822', '1 Jan 2026 00:30 +0130', '2025-12-31T23:00:00Z'],
    ['rfc 2822', 'Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37Z'],
    ['rfc 2822', 'Sun, 06 Nov 1994 08:49:37 PST (winter)', '1994-11-06T16:49:37Z'],
    ['YYYYMMDD', '20240229', '2024-02-29'],
    ['YYYY-MM-DD HH:mm:ss z', '2026-01-01 10:00:00 MET', '2026-01-01T09:00:00Z'],
    ['YYYY-MM-DD HH:mm:ss z', '2026-07-01 10:00:00 BST', '2026-07-01T09:00:00Z'],
    [{ form: 'YYYY-MM-DD HH:mm z', zones: { IST: '+05:30' } }, '2026-01-01 10:00 IST', '2026-01-01T04:30:00Z'],
    [{ form: 'DD.MM.YYYY HH:mm', zone: 'Europe/Berlin' }, '01.07.2026 10:00', '2026-07-01T08:00:00Z'],
    ['M/D/YYYY h:mm A Z', '1/2/2026 12:05 AM +01:00', '2026-01-01T23:05:00Z'],
    ['M/D/YYYY h:mm A Z', '11/12/2026 12:05 pm Z', '2026-11-12T12:05:00Z'],
    ['D MMM YYYY [at] HH:mm:ss.SZ', '3 Feb 2026 at 10:00:00.1230-0300', '2026-02-03T13:00:00.123Z'],
    ['YYYYMDD HHmmssSZ', '2026111 090000123Z', '2026-01-11T09:00:00.123Z'],
    ['unix', new Date(5), '1970-01-01T00:00:00.005Z'],
  ])('%j reads %s', (form, value, text) => {
    expect(read(form, value)).toBe(text)
  })

  test.each<[string | TimeForm, unknown, RegExp]>([
    ['unix', 'soon', /^"soon" is no time of the form "unix"$/],
    ['unix', '1e9', /is no time/],
    ['unix', '', /is no time/],
    ['unix', true, /^"boolean" is no time/],
    ['unix', new Date(Number.NaN), /is no time/],
    // Milliseconds in place of seconds: the year would be 55,840.
    ['unix', 1_700_000_000_000, /its year is not between 1 and 9999\. Does it count another unit/],
    ['/Date()/', '/Date(soon)/', /is no time/],
    ['/Date()/', '1764237600000', /is no time/],
    ['rfc 2822', 'Fri, 31 Feb 2019 17:44:46 +0000', /is no time/],
    ['rfc 2822', '24 Mai 2019 17:44:46 +0000', /is no time/],
    ['YYYYMMDD', '20230229', /is no time/],
    ['YYYYMMDD', '2024-02-29', /is no time/],
    ['YYYY-MM-DD HH:mm', '2026-01-01 24:00 ', /is no time|no offset/],
    ['YYYY-MM-DD HH:mm:ss z', '2026-01-01 10:00:00 IST', /the zone IST is not known\. Give its offset/],
    ['M/D/YYYY h:mm A Z', '1/2/2026 13:05 AM +01:00', /is no time/],
    [{ form: 'YYYY-MM-DD HH:mm', zone: 'Europe/Berlin' }, '2026-03-29 02:30', /does not exist in Europe\/Berlin/],
    [{ form: 'YYYY-MM-DD HH:mm', zone: 'Europe/Berlin' }, '2026-10-25 02:30', /comes twice in Europe\/Berlin/],
  ])('%j refuses %p', (form, value, reason) => {
    expect(() => read(form, value)).toThrow(reason)
  })

  test.each<[string, Parameters<typeof time>[1], RegExp]>([
    ['YYYY-MM', {}, /Write its year, month and day/],
    ['YYYY-MM-DD HH:mm', {}, /has no offset\. Give the zone of its clock/],
    ['YYYY-MM-DD HH:mm Z', { zone: 'UTC' }, /needs no zone/],
    ['YYYYMMDD', { zone: 'UTC' }, /needs no zone/],
    ['unix', { zone: 'UTC' }, /needs no zone/],
    ['rfc2822', {}, /r is not a part of a time/],
    ['YYYY-MM-DD hh:mm', { zone: 'UTC' }, /needs both hh and A/],
    ['YYYY-MM-DD mm', {}, /has no hour/],
    ['YYYY-MM-DD HH:mm', { zone: '+01:00' }, /is no time zone/],
    ['YYYY-MM-DD HH:mm z', { zones: { IST: '5h' } }, /zones\.IST is an offset/],
    ['YYYY-MM-DD YYYY', {}, /has a part twice/],
    // `2026111` may be the eleventh of January and the first of November.
    ['YYYYMD', {}, /does not say where one number ends/],
    ['unix', { unit: 's' } as never, /there is no option "unit"/],
  ])('time(%j, %j) is refused', (form, options, message) => {
    expect(() => time(form, options)).toThrow(message)
  })
})
