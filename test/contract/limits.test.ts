import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../src/contract/limits.ts'
import { ZaelError } from '../../src/core/model/errors.ts'
import { limitToJson } from '../../src/core/model/json.ts'

const rpm = { name: 'rpm', capacity: 50, refill_rate: 50 / 60 }

const rph = { name: 'rph', algorithm: 'sliding_window', limit: 50, window_seconds: 3600 }

const rpd = { name: 'rpd', algorithm: 'fixed_window', limit: 50, window: 'day' }

/** Nights, and entries of other amounts. */
const night = { cron: '0 22 * * *', time_zone: 'Europe/Berlin', duration_seconds: 28_800 }

const messageOf = (input: unknown): string => {
  try {
    parseLimits(input, 'limits')
  } catch (error) {
    if (error instanceof ZaelError && error.code === 'invalid_request') return error.message
  }
  throw new Error('was taken')
}

describe('limits as JSON', () => {
  test('are read back as they are written', () => {
    const [limit] = parseLimits(
      [{ ...rpm, refund: 'full', on_unavailable: 'local', lease_ttl_seconds: 0.5 }],
      'limits',
    )
    expect(limit && limitToJson(limit)).toEqual({
      ...rpm,
      meter: 'requests',
      algorithm: 'token_bucket',
      refund: 'full',
      on_unavailable: 'local',
      lease_ttl_seconds: 0.5,
    })
  })

  test.each([
    [rph, { ...rph, meter: 'requests', capacity: 50, slots: 30 }],
    [
      { ...rph, slots: 60, capacity: 50 },
      { ...rph, meter: 'requests', capacity: 50, slots: 60 },
    ],
    [rpd, { ...rpd, meter: 'requests', capacity: 50, time_zone: 'UTC' }],
    [
      { ...rpd, time_zone: 'Europe/Berlin', mode: 'warn', warn_at: 1, headroom: { normal: 0, low: 0.3 } },
      {
        ...rpd,
        meter: 'requests',
        capacity: 50,
        time_zone: 'Europe/Berlin',
        mode: 'warn',
        warn_at: 1,
        headroom: { normal: 0, low: 0.3 },
      },
    ],
  ])('of windows, %j, are returned in full, and parsed back', (input, told) => {
    const json = parseLimits([input], 'limits').map(limitToJson)
    expect(json).toEqual([told])
    expect(parseLimits(json, 'limits').map(limitToJson)).toEqual(json)
  })

  test.each([
    [
      { ...rpm, schedule: [{ ...night, capacity: 500, refill_rate: 2 }] },
      { capacity: 500, refill_rate: 2 },
    ],
    [
      { ...rpm, schedule: [{ ...night, capacity: 500 }] },
      { capacity: 500, refill_rate: (50 / 60) * 10 },
    ],
    [
      { ...rpm, schedule: [{ ...night, capacity: 0 }] },
      { capacity: 0, refill_rate: 0 },
    ],
    [
      { name: 'rpm', limit: 50, per: 'minute', schedule: [{ ...night, limit: 120 }] },
      { capacity: 120, refill_rate: 2 },
    ],
    [{ ...rph, schedule: [{ ...night, limit: 500 }] }, { limit: 500 }],
    [{ ...rpd, schedule: [{ ...night, limit: 0 }] }, { limit: 0 }],
    [
      { name: 'open', algorithm: 'concurrency', limit: 5, schedule: [{ ...night, limit: 50 }] },
      { limit: 50 },
    ],
    [
      {
        ...{ name: 'run', algorithm: 'fixed_window', window: 'first_use', window_seconds: 60, limit: 5 },
        schedule: [{ ...night, limit: 50 }],
      },
      { limit: 50 },
    ],
  ])('with a schedule, %j, are returned with the size of each entry, and parsed back', (input, amounts) => {
    const json = parseLimits([input], 'limits').map(limitToJson)
    expect(json).toMatchObject([{ schedule: [{ ...night, ...amounts }] }])
    expect(parseLimits(json, 'limits').map(limitToJson)).toEqual(json)
  })

  test('have no schedule if it is empty', () => {
    expect(parseLimits([{ ...rph, schedule: [] }], 'limits')).toEqual(parseLimits([rph], 'limits'))
  })

  test('an entry of a schedule changes nothing but the amount', () => {
    const window = { ...rpd, window: 'week', time_zone: 'Asia/Tokyo', schedule: [{ ...night, limit: 7 }] }
    const [limit] = parseLimits([window], 'limits')
    expect(limit?.schedule?.[0]?.size).toEqual({ ...limit?.size, limit: 7 })
  })

  test.each([
    [{ limit: 100, per: 'second' }, 100, 100],
    [{ limit: 100, per: 'minute' }, 100, 100 / 60],
    [{ algorithm: 'token_bucket', limit: 7, per: 'hour' }, 7, 7 / 3600],
    [{ limit: 5000, per: 'day' }, 5000, 5000 / 86_400],
    [{ limit: 0, per: 'day' }, 0, 0],
  ])('of a period, %j, are token buckets that refill within it', (input, capacity, refill_rate) => {
    const json = parseLimits([{ name: 'rpm', ...input }], 'limits').map(limitToJson)
    expect(json).toEqual([
      { name: 'rpm', meter: 'requests', algorithm: 'token_bucket', capacity, refill_rate },
    ])
    expect(parseLimits(json, 'limits').map(limitToJson)).toEqual(json)
  })

  test.each([
    [
      { capacity: 0, refill_rate: 0 },
      { algorithm: 'token_bucket', capacity: 0, refill_rate: 0 },
    ],
    [
      { capacity: 0, refill_rate: 5 },
      { algorithm: 'token_bucket', capacity: 0, refill_rate: 0 },
    ],
    [
      { algorithm: 'sliding_window', limit: 0, window_seconds: 60 },
      { algorithm: 'sliding_window', limit: 0, capacity: 0, window_seconds: 60, slots: 30 },
    ],
    [
      { algorithm: 'fixed_window', limit: 0, window: 'day' },
      { algorithm: 'fixed_window', limit: 0, capacity: 0, window: 'day', time_zone: 'UTC' },
    ],
  ])('of size 0, %j, are paused, and parsed back', (input, told) => {
    const json = parseLimits([{ name: 'rpm', ...input }], 'limits').map(limitToJson)
    expect(json).toEqual([{ name: 'rpm', meter: 'requests', ...told }])
    expect(parseLimits(json, 'limits').map(limitToJson)).toEqual(json)
  })

  test('have the meter of a usual name, else count requests', () => {
    const meters = ['rps', 'rph', 'tpm', 'itpm', 'otpm'].map(
      (name) => parseLimits([{ ...rpm, name }], 'limits')[0]?.meter,
    )
    expect(meters).toEqual(['requests', 'requests', 'tokens', 'input_tokens', 'output_tokens'])
    expect(parseLimits([{ name: 'login', capacity: 5, refill_rate: 1 }], 'limits')[0]?.meter).toBe('requests')
    expect(parseLimits([{ ...rpm, name: 'burst', meter: 'tokens' }], 'limits')[0]?.meter).toBe('tokens')
  })

  test.each([
    ['no list', { rpm }, /^limits must be a list/],
    [
      'nine limits',
      Array.from({ length: 9 }, (_, index) => ({ ...rpm, name: `l${index}`, meter: 'tokens' })),
      /^limits must contain at most 8/,
    ],
    ['no object', ['rpm'], /^limits\[0\] must be an object/],
    ['an unknown field', [{ ...rpm, burst: 3 }], /^limits\[0\]\.burst must not be given/],
    ['no name', [{ capacity: 1, refill_rate: 1 }], /^limits\[0\]\.name must be 1 to 32/],
    ['a name with a dash', [{ ...rpm, name: 'r-pm' }], /^limits\[0\]\.name must be 1 to 32/],
    [
      'a name of the counters',
      [{ ...rpm, name: 'denied_rpm', meter: 'requests' }],
      /^limits\[0\]\.name must not be used or denied/,
    ],
    [
      'the name that all counters begin with',
      [{ ...rpm, name: 'denied', meter: 'requests' }],
      /^limits\[0\]\.name must not be used or denied/,
    ],
    ['a name twice', [rpm, rpm], /^limits\[1\]\.name must be unique/],
    ['slots of null', [{ ...rph, slots: null }], /^limits\[0\]\.slots must be/],
    ['an algorithm of null', [{ ...rpm, algorithm: null }], /^limits\[0\]\.algorithm must be one of/],
    ['a meter of null', [{ ...rpm, meter: null }], /^limits\[0\]\.meter must be one of/],
    ['an unknown meter', [{ ...rpm, meter: 'cats' }], /^limits\[0\]\.meter must be one of/],
    [
      'an unknown algorithm',
      [{ ...rpm, algorithm: 'leaky' }],
      /^limits\[0\]\.algorithm must be one of token_bucket/,
    ],
    ['no capacity', [{ name: 'rpm', refill_rate: 1 }], /^limits\[0\]\.capacity must be an integer from/],
    ['a negative capacity', [{ ...rpm, capacity: -1 }], /^limits\[0\]\.capacity must be an integer from/],
    ['half a token', [{ ...rpm, capacity: 0.5 }], /^limits\[0\]\.capacity must be an integer from/],
    [
      'a capacity beyond integers',
      [{ ...rpm, capacity: 2 ** 53 }],
      /^limits\[0\]\.capacity must be an integer from/,
    ],
    ['a rate of 0', [{ ...rpm, refill_rate: 0 }], /^limits\[0\]\.refill_rate must be a positive number/],
    [
      'a negative rate beside a capacity of 0',
      [{ ...rpm, capacity: 0, refill_rate: -1 }],
      /^limits\[0\]\.refill_rate must be 0, as the capacity is 0/,
    ],
    [
      'a rate above all bounds beside a capacity of 0',
      [{ ...rpm, capacity: 0, refill_rate: 1_000_000_001 }],
      /^limits\[0\]\.refill_rate must be 0, as the capacity is 0/,
    ],
    [
      'a limit without a period',
      [{ name: 'rpm', limit: 5 }],
      /^limits\[0\]\.per must be one of second, minute/,
    ],
    ['a period of a week', [{ name: 'rpm', limit: 5, per: 'week' }], /^limits\[0\]\.per must be one of/],
    [
      'a period without a limit',
      [{ name: 'rpm', per: 'day' }],
      /^limits\[0\]\.limit must be an integer from 0/,
    ],
    [
      'a capacity beside a period',
      [{ name: 'rpm', limit: 5, per: 'day', capacity: 5 }],
      /^limits\[0\]\.capacity must not be given/,
    ],
    [
      'a rate beside a period',
      [{ name: 'rpm', limit: 5, per: 'day', refill_rate: 5 }],
      /^limits\[0\]\.refill_rate must not be given/,
    ],
    [
      'more per second than one per nanosecond',
      [{ name: 'rpm', limit: 700_000_000, per: 'second' }],
      /^limits\[0\]\.limit must be a rate that whole nanoseconds/,
    ],
    ['a period beside a window', [{ ...rpd, per: 'day' }], /^limits\[0\]\.per must not be given/],
    [
      'a warning at next to nothing',
      [{ ...rpm, warn_at: 1e-131 }],
      /^limits\[0\]\.warn_at must be a number from/,
    ],
    [
      'next to no headroom',
      [{ ...rpm, headroom: { low: 1e-131 } }],
      /^limits\[0\]\.headroom\.low must be 0, or a number from/,
    ],
    [
      'a lease of next to nothing',
      [{ ...rpm, lease_ttl_seconds: 1e-131 }],
      /^limits\[0\]\.lease_ttl_seconds must be 0, or a number of seconds from 0\.001 to 600/,
    ],
    [
      'a window of a tenth of a second',
      [{ ...rph, window_seconds: 0.1 }],
      /^limits\[0\]\.window_seconds must be an integer from 1/,
    ],
    ['a rate as text', [{ ...rpm, refill_rate: '1' }], /^limits\[0\]\.refill_rate must be a positive number/],
    [
      'a rate that nanoseconds miss',
      [{ ...rpm, refill_rate: 300_000_000 }],
      /^limits\[0\]\.refill_rate must be a rate/,
    ],
    [
      'a rate beyond nanoseconds',
      [{ ...rpm, refill_rate: 2e9 }],
      /^limits\[0\]\.refill_rate must lie between/,
    ],
    [
      'a bucket that fills in a millennium',
      [{ ...rpm, refill_rate: 1e-9 }],
      /^limits\[0\]\.refill_rate must fill/,
    ],
    [
      'a window without its length',
      [{ name: 'rph', algorithm: 'sliding_window', limit: 10 }],
      /^limits\[0\]\.window_seconds must be an integer from/,
    ],
    ['half a request in a window', [{ ...rph, limit: 0.5 }], /^limits\[0\]\.limit must be an integer from/],
    ['a negative window', [{ ...rph, window_seconds: -60 }], /^limits\[0\]\.window_seconds must be/],
    ['one slot', [{ ...rph, slots: 1 }], /^limits\[0\]\.slots must be an integer from 2 to 60/],
    ['3600 slots', [{ ...rph, slots: 3600 }], /^limits\[0\]\.slots must be an integer from 2 to 60/],
    [
      'a capacity beside another limit',
      [{ ...rph, capacity: 11 }],
      /^limits\[0\]\.capacity must be left out/,
    ],
    ['a window with a rate', [{ ...rph, refill_rate: 1 }], /^limits\[0\]\.refill_rate must not be given/],
    ['a bucket with a window', [{ ...rpm, window: 'day' }], /^limits\[0\]\.window must not be given/],
    [
      'four sliding windows',
      ['rps', 'rpm', 'rph', 'rpd'].map((name) => ({ ...rph, name })),
      /^limits must contain at most 3 limits of algorithm sliding_window/,
    ],
    [
      'a year',
      [{ ...rpd, window: 'year' }],
      /^limits\[0\]\.window must be one of minute, hour, day, week, month/,
    ],
    ['no window', [{ ...rpd, window: undefined }], /^limits\[0\]\.window must be one of minute/],
    ['a zone on Mars', [{ ...rpd, time_zone: 'Mars/Base' }], /^limits\[0\]\.time_zone must be a time zone/],
    ['a zone with spaces', [{ ...rpd, time_zone: 'UTC x' }], /^limits\[0\]\.time_zone must be a time zone/],
    ['a zone that is a number', [{ ...rpd, time_zone: 2 }], /^limits\[0\]\.time_zone must be a time zone/],
    [
      'a lease for ever',
      [{ ...rpm, lease_ttl_seconds: 601 }],
      /^limits\[0\]\.lease_ttl_seconds must be 0, or a number/,
    ],
    [
      'a lease of less than nothing',
      [{ ...rpm, lease_ttl_seconds: -1 }],
      /^limits\[0\]\.lease_ttl_seconds must be/,
    ],
    ['an unknown mode', [{ ...rpm, mode: 'off' }], /^limits\[0\]\.mode must be one of enforce, warn, shadow/],
    ['a warning at nothing', [{ ...rpm, warn_at: 0 }], /^limits\[0\]\.warn_at must be a number from/],
    ['a warning beyond all', [{ ...rpm, warn_at: 1.1 }], /^limits\[0\]\.warn_at must be a number from/],
    ['all kept as headroom', [{ ...rpm, headroom: { low: 1 } }], /^limits\[0\]\.headroom\.low must be/],
    [
      'headroom from high',
      [{ ...rpm, headroom: { high: 0.1 } }],
      /^limits\[0\]\.headroom\.high must not be given/,
    ],
    ['headroom as a number', [{ ...rpm, headroom: 0.1 }], /^limits\[0\]\.headroom must be an object/],
    ['a schedule that is no list', [{ ...rph, schedule: night }], /^limits\[0\]\.schedule must be a list of/],
    [
      'nine entries',
      [{ ...rph, schedule: Array.from({ length: 9 }, () => ({ ...night, limit: 1 })) }],
      /^limits\[0\]\.schedule must contain at most 8 entries/,
    ],
    [
      'an entry without a limit',
      [{ ...rph, schedule: [night] }],
      /^limits\[0\]\.schedule\[0\]\.limit must be an integer from/,
    ],
    [
      'an entry that changes the window',
      [{ ...rpd, schedule: [{ ...night, limit: 1, window: 'week' }] }],
      /^limits\[0\]\.schedule\[0\]\.window must not be given; known fields are cron, time_zone, duration_seconds, limit$/,
    ],
    [
      'a window with an entry of a bucket',
      [{ ...rph, schedule: [{ ...night, capacity: 1 }] }],
      /^limits\[0\]\.schedule\[0\]\.capacity must not be given/,
    ],
    [
      'an entry that does not follow from a paused bucket',
      [{ ...rpm, capacity: 0, refill_rate: 0, schedule: [{ ...night, capacity: 10 }] }],
      /^limits\[0\]\.schedule\[0\]\.refill_rate must be given, as the limit’s own capacity is 0/,
    ],
    [
      'an entry of an impossible rate',
      [{ ...rpm, schedule: [{ ...night, capacity: 10, refill_rate: 0 }] }],
      /^limits\[0\]\.schedule\[0\]\.refill_rate must be a positive number/,
    ],
    [
      'an entry that never begins',
      [{ ...rph, schedule: [{ ...night, limit: 1, cron: '0 0 31 2 *' }] }],
      /^limits\[0\]\.schedule\[0\]\.cron must name a time that exists/,
    ],
    [
      'an entry with seconds',
      [{ ...rph, schedule: [{ ...night, limit: 1, cron: '* 0 0 * * *' }] }],
      /^limits\[0\]\.schedule\[0\]\.cron must be a cron expression of five fields/,
    ],
    [
      'an entry without a zone',
      [{ ...rph, schedule: [{ ...night, limit: 1, time_zone: undefined }] }],
      /^limits\[0\]\.schedule\[0\]\.time_zone must be a time zone/,
    ],
    [
      'an entry of half a minute',
      [{ ...rph, schedule: [{ ...night, limit: 1, duration_seconds: 30 }] }],
      /^limits\[0\]\.schedule\[0\]\.duration_seconds must be an integer from 60 to 31622400/,
    ],
    ['an unknown refund', [{ ...rpm, refund: 'half' }], /^limits\[0\]\.refund must be one of strict, full/],
    [
      'an unknown way out',
      [{ ...rpm, on_unavailable: 'pray' }],
      /^limits\[0\]\.on_unavailable must be one of/,
    ],
  ])('with %s are rejected by the name of the field', (_, input, message) => {
    expect(messageOf(input)).toMatch(message)
  })
})
