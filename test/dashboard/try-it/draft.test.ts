import { describe, expect, test } from 'vitest'
import { type Draft, planOf } from '../../../dashboard/try-it/request-draft.ts'

const DRAFT: Draft = {
  callerKind: 'entity',
  entityId: ' key-bob ',
  key: '',
  model: 'gpt-4',
  maxTokens: '50',
  message: 'Hello',
  count: '11',
  parallelism: '3',
  streams: false,
}
const mistakesOf = (fields: Partial<Draft>) => {
  const drafted = planOf({ ...DRAFT, ...fields })
  return 'mistakes' in drafted ? Object.keys(drafted.mistakes) : []
}

describe('a draft', () => {
  test('says who asks for what, how often and how many at once', () => {
    expect(planOf(DRAFT)).toEqual({
      plan: {
        caller: { kind: 'entity', id: 'key-bob' },
        body: { model: 'gpt-4', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] },
        count: 11,
        parallelism: 3,
      },
    })
  })

  test('leaves max_tokens out where it is empty, and asks a stream for its usage', () => {
    expect(planOf({ ...DRAFT, maxTokens: ' ', streams: true })).toMatchObject({
      plan: {
        body: {
          model: 'gpt-4',
          messages: [{ role: 'user', content: 'Hello' }],
          stream: true,
          stream_options: { include_usage: true },
        },
      },
    })
    expect(planOf({ ...DRAFT, maxTokens: ' ' })).not.toHaveProperty('plan.body.max_tokens')
  })

  test('needs the entity or the key, whichever is to ask', () => {
    expect(mistakesOf({ entityId: ' ' })).toEqual(['entityId'])
    expect(mistakesOf({ callerKind: 'key', entityId: '' })).toEqual(['key'])
    expect(mistakesOf({ callerKind: 'key', key: 'sk-1' })).toEqual([])
    expect(mistakesOf({ callerKind: 'key', key: 'sk 1' })).toEqual(['key'])
    expect(mistakesOf({ callerKind: 'key', key: 'sk-ü' })).toEqual(['key'])
  })

  test.each<[keyof Draft, readonly string[], readonly string[]]>([
    ['count', ['1', '200'], ['', '0', '201', '1.5', '-1', '1e2', 'x']],
    ['parallelism', ['1', '20'], ['', '0', '21', '2.5']],
    ['maxTokens', ['', '1', '1000000'], ['0', '-5', '1.5', '1000001', 'x']],
    ['message', [' '], ['']],
    ['model', ['gpt-4'], ['']],
  ])('takes %s as %j, and not as %j', (field, right, wrong) => {
    for (const value of right) expect(mistakesOf({ [field]: value })).toEqual([])
    for (const value of wrong) expect(mistakesOf({ [field]: value })).toEqual([field])
  })
})
