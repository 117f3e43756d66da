import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { wireApis } from '../../../src/gateway/apis/wire-apis.ts'

const count = fc.oneof(
  fc.nat(1000),
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, '5', Number.MAX_SAFE_INTEGER, 1e300, true),
)
const usage = fc.oneof(
  fc.record(
    Object.fromEntries(
      [
        'prompt_tokens',
        'completion_tokens',
        'total_tokens',
        'input_tokens',
        'output_tokens',
        'cache_read_input_tokens',
        'cache_creation_input_tokens',
      ].map((name) => [name, count]),
    ),
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
)
const text = fc.oneof(fc.string(), fc.jsonValue())
const EVENTS = [
  'message_start',
  'message_delta',
  'content_block_start',
  'content_block_delta',
  'response.completed',
  'response.output_text.delta',
  'error',
]
const event = fc.record(
  {
    type: fc.constantFrom(...EVENTS),
    choices: fc.oneof(
      fc.jsonValue(),
      fc.array(
        fc.record(
          {
            index: fc.nat(3),
            delta: fc.dictionary(fc.constantFrom('content', 'tool_calls', 'role'), text),
            text,
            finish_reason: text,
          },
          { requiredKeys: [] },
        ),
      ),
    ),
    usage,
    message: fc.record({ usage, content: fc.jsonValue() }),
    response: fc.record({ usage, output: fc.jsonValue(), error: fc.jsonValue() }),
    delta: fc.oneof(text, fc.record({ text, stop_reason: text })),
    error: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const data = fc.oneof(
  event.map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string(),
)

const isCount = (value: number | undefined) =>
  value === undefined || (Number.isSafeInteger(value) && value >= 0)

test.each(Object.values(wireApis))(
  'counts are whole and not negative, whatever the events of $name contain',
  (api) => {
    fc.assert(
      fc.property(
        fc.array(data, { maxLength: 8 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (events, body) => {
          const reader = api.createStreamReader(JSON.parse(JSON.stringify(body)))
          let written = ''
          for (const each of events) {
            reader.read({ name: undefined, data: each })
            written += reader.takeText()
          }
          const reported = reader.usage()
          const {
            inputTokens,
            cachedInputTokens = 0,
            cacheWriteTokens = 0,
          } = reported ?? reader.inputUsage() ?? { inputTokens: 0 }
          expect(
            [inputTokens, cachedInputTokens, cacheWriteTokens, reported?.outputTokens].every(isCount),
          ).toBe(true)
          expect(cachedInputTokens + cacheWriteTokens).toBeLessThanOrEqual(inputTokens)
          if (reported !== undefined) expect(inputTokens + reported.outputTokens).toBeGreaterThan(0)
          // text without a credible usage is counted: it is never free
          if (written !== '' && reported !== undefined) expect(reported.outputTokens).toBeGreaterThan(0)
          if (written !== '') expect(reader.hasOutput()).toBe(true)
        },
      ),
    )
  },
)

test.each(Object.values(wireApis))(
  'whole responses of $name have whole counts, whatever they contain',
  (api) => {
    fc.assert(
      fc.property(fc.oneof(event, fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
        const body = JSON.parse(JSON.stringify(value))
        const reported = api.usageOf(body)
        expect(typeof api.textOf(body)).toBe('string')
        expect([reported?.inputTokens, reported?.outputTokens].every(isCount)).toBe(true)
        expect(api.choices(body)).toBeGreaterThanOrEqual(0)
      }),
    )
  },
)
