import { describe, expect, test } from 'vitest'
import { clientError, type ErrorResponse } from '../../../src/gateway/upstream/error-response.ts'

const errorOf = (text: string | object, fields: Partial<ErrorResponse> = {}) =>
  clientError({
    upstream: 'vllm',
    api: 'chat',
    status: 400,
    headers: {},
    text: typeof text === 'string' ? text : JSON.stringify(text),
    key: undefined,
    ...fields,
  })

const OPENAI = {
  error: { message: 'too long', type: 'invalid_request_error', param: 'messages', code: null },
}

const ANTHROPIC = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }

describe('an error in the form of the API', () => {
  test('passes byte for byte', () => {
    expect(errorOf(OPENAI)).toEqual({ status: 400, text: null })
    expect(errorOf(ANTHROPIC, { api: 'messages', status: 529 })).toEqual({ status: 529, text: null })
    expect(errorOf(ANTHROPIC, { api: 'count_tokens', status: 400 })).toEqual({ status: 400, text: null })
  })

  test('with fields missing gets them, and keeps its others', () => {
    const shown = errorOf(
      { error: { message: 'busy', metadata: { provider: 'x' }, code: 503 }, id: 'e1' },
      { status: 503 },
    )
    expect('text' in shown && JSON.parse(String(shown.text))).toEqual({
      error: { message: 'busy', type: 'server_error', param: null, code: 503, metadata: { provider: 'x' } },
      id: 'e1',
      message: 'busy',
    })
  })

  test('of another API keeps its message and type', () => {
    expect(errorOf(OPENAI, { api: 'messages' })).toEqual({
      problem: {
        status: 400,
        message: 'too long',
        type: 'invalid_request_error',
        param: 'messages',
        code: null,
      },
    })
  })
})

describe("an error in another form passes with the upstream's own message", () => {
  test.each([
    [
      { object: 'error', message: 'model not found', type: 'NotFoundError', param: null, code: 404 },
      'model not found',
    ],
    [{ detail: 'Not Found' }, 'Not Found'],
    [
      { detail: [{ loc: ['body', 'messages', 0], msg: 'field required' }, { msg: 'extra' }] },
      'body.messages.0: field required; extra',
    ],
    [{ detail: { message: 'nested' } }, 'nested'],
    [{ error: 'text' }, 'text'],
    [{ message: 'The model is not ready' }, 'The model is not ready'],
    [{ Message: 'Request too large' }, 'Request too large'],
    [{ errors: [{ message: 'first' }, { message: 'second' }] }, 'first'],
    [{ error: { type: 'overloaded' } }, 'overloaded'],
    [
      '<!DOCTYPE html><html><head><title>413 Payload\n Too Large</title></head><body>x</body></html>',
      '413 Payload Too Large',
    ],
    ['<html><body><style>b{}</style><h1>Bad</h1> <p>gateway</p></body></html>', 'Bad gateway'],
    ['upstream connect error\n', 'upstream connect error'],
    ['"just a string"', '"just a string"'],
    ['', 'The upstream vllm responded 400'],
    ['{"unknown":1}', 'The upstream vllm responded 400'],
  ] as const)('%j', (text, message) => {
    const shown = errorOf(text)
    const found = 'problem' in shown ? shown.problem.message : JSON.parse(String(shown.text)).error.message
    expect(found).toBe(message)
    expect('problem' in shown ? shown.problem.status : shown.status).toBe(400)
  })

  test('with the type by status', () => {
    expect(errorOf({ detail: 'x' }, { status: 404 })).toEqual({
      problem: { status: 404, message: 'x', type: null, param: null, code: null },
    })
  })

  test('cut off if it is long', () => {
    const shown = errorOf({ message: 'x'.repeat(10_000) })
    expect('problem' in shown && shown.problem.message.length).toBe(2_001)
  })
})

describe("an error that concerns zael's own credentials names the upstream only", () => {
  test.each([
    ['401', OPENAI, { status: 401 }],
    ['407', '', { status: 407 }],
    [
      "zael's key in the text",
      { error: { message: 'no access for sk-secret' } },
      { status: 403, key: 'sk-secret' },
    ],
    ["zael's key in a 500", 'sk-secret', { status: 500, key: 'sk-secret' }],
    [
      'an AWS exception',
      { message: 'x' },
      { status: 403, headers: { 'x-amzn-errortype': 'ExpiredTokenException' } },
    ],
    ['an AWS exception in the body', { __type: 'InvalidSignatureException', message: 'x' }, { status: 400 }],
    ['a role', { message: 'User: arn:aws:sts::1:assumed-role/zael is not authorized' }, { status: 403 }],
    ['signed headers', { message: 'should have been\nx-amz-security-token:Fwo' }, { status: 403 }],
  ] as const)('%s', (_, text, fields) => {
    expect(errorOf(text, fields)).toEqual({
      problem: {
        status: 502,
        message: 'The upstream vllm rejects the credentials of zael',
        code: 'upstream_unavailable',
        type: null,
        param: null,
      },
    })
  })

  test('but not a refusal of a model', () => {
    const text = {
      error: { message: 'Project does not have access to model', type: 'x', param: null, code: null },
    }
    expect(errorOf(text, { status: 403, key: 'sk-secret' })).toEqual({ status: 403, text: null })
  })
})

test.each([302, 304, 600])('status %i is a failure of the upstream', (status) => {
  expect(errorOf(OPENAI, { status })).toMatchObject({
    problem: { status: 502, message: `The upstream vllm responded ${status}` },
  })
})
