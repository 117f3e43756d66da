import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
  ProvisionedThroughputExceededException,
  RequestLimitExceeded,
  ThrottlingException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { mockClient } from 'aws-sdk-client-mock'
import { afterEach, describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { createDynamoClient } from '../../../src/store/dynamodb/client.ts'
import { createFailureLog } from '../../../src/store/dynamodb/store-error.ts'
import { createManualClock } from './manual-time.ts'

describe('an error of the store', () => {
  const sdk = mockClient(DynamoDBClient)

  afterEach(() => sdk.reset())

  const client = createDynamoClient({ clock: createManualClock(0n), region: 'us-east-1' })

  const callWith = async (error: Error): Promise<unknown> => {
    sdk.on(UpdateItemCommand).rejects(error)
    const command = new UpdateItemCommand({ TableName: 'ZAEL-test', Key: {} })
    return client.run((each) => each.send(command)).catch((thrown: unknown) => thrown)
  }

  const serviceError = (name: string, httpStatusCode: number): Error =>
    new DynamoDBServiceException({
      name,
      message: `${name} of the service`,
      $fault: httpStatusCode < 500 ? 'client' : 'server',
      $metadata: { httpStatusCode },
    })

  const refusal = { message: 'too much', $metadata: { httpStatusCode: 400 } }

  const broken = (code: string, more: object = {}): Error =>
    Object.assign(new Error(`broken: ${code}`), { code, ...more })

  describe('an error of the SDK', () => {
    test.each<[text: string, error: Error, mayHaveApplied: boolean]>([
      ['throttled', serviceError('ThrottlingException', 400), false],
      ['over the throughput', serviceError('ProvisionedThroughputExceededException', 400), false],
      ['over a limit of the account', serviceError('RequestLimitExceeded', 400), false],
      ['no such table', serviceError('ResourceNotFoundException', 400), false],
      ['not allowed', serviceError('AccessDeniedException', 400), false],
      ['met a transaction', serviceError('TransactionConflictException', 400), false],
      ['a fault of the service', serviceError('InternalServerError', 500), true],
      ['the service is away', serviceError('ServiceUnavailable', 503), true],
      ['a connection refused', broken('ECONNREFUSED', { syscall: 'connect' }), false],
      ['a connection that did not come about', broken('ETIMEDOUT', { syscall: 'connect' }), false],
      ['no such host', broken('ENOTFOUND', { syscall: 'getaddrinfo' }), false],
      ['no region', new Error('Region is missing'), false],
      ['no credentials', Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), false],
      ['a connection lost', broken('ECONNRESET'), true],
      ['a connection closed while writing', broken('EPIPE'), true],
      ['out of time', Object.assign(new Error('aborted'), { name: 'AbortError' }), true],
      [
        'a response that is no JSON',
        Object.assign(new SyntaxError('<'), { $metadata: { httpStatusCode: 200 } }),
        true,
      ],
      [
        'a response of a proxy',
        Object.assign(new TypeError('x'), { $metadata: { httpStatusCode: 502 } }),
        true,
      ],
    ])('%s: says whether the write may have been applied', async (_, error, mayHaveApplied) => {
      const thrown = await callWith(error)
      expect(thrown).toBeInstanceOf(StoreUnavailable)
      expect(thrown).toMatchObject({ mayHaveApplied, cause: error })
    })

    test.each<[text: string, error: Error, isThrottled: boolean]>([
      ['an item beyond its throughput', new ProvisionedThroughputExceededException(refusal), true],
      ['too much at once', new ThrottlingException(refusal), true],
      ['too much of the account', new RequestLimitExceeded(refusal), true],
      [
        'so the SDK says',
        Object.assign(serviceError('Slower', 400), { $retryable: { throttling: true } }),
        true,
      ],
      ['so the status says', serviceError('TooManyRequests', 429), true],
      [
        'to be tried again, and not throttled',
        Object.assign(serviceError('InternalServerError', 500), { $retryable: {} }),
        false,
      ],
      ['a table that is not there', serviceError('ResourceNotFoundException', 400), false],
      ['out of time', Object.assign(new Error('aborted'), { name: 'AbortError' }), false],
      ['a connection lost', broken('ECONNRESET'), false],
    ])('%s: says whether the store throttles', async (_, error, isThrottled) => {
      expect(await callWith(error)).toMatchObject({ name: 'StoreUnavailable', isThrottled })
    })

    test.each<[text: string, error: Error]>([
      [
        'a condition that failed',
        new ConditionalCheckFailedException({ message: 'no', $metadata: { httpStatusCode: 400 } }),
      ],
      ['a write that makes no sense', serviceError('ValidationException', 400)],
      ['a fault of the code', new TypeError('x is not a function')],
    ])('%s: is thrown as it is', async (_, error) => {
      expect(await callWith(error)).toBe(error)
    })

    test.each<[error: Error, reason: string]>([
      [
        serviceError('AccessDeniedException', 400),
        'AccessDeniedException: AccessDeniedException of the service',
      ],
      [broken('ECONNREFUSED', { syscall: 'connect' }), 'ECONNREFUSED: broken: ECONNREFUSED'],
      [new Error('Region is missing'), 'Region is missing'],
      [Object.assign(new Error('aborted'), { name: 'AbortError' }), 'no response in time'],
      [Object.assign(new Error(''), { code: 'ECONNREFUSED', name: 'AggregateError' }), 'AggregateError'],
    ])('carries the name and message of %s as its reason', async (error, reason) => {
      expect(await callWith(error)).toMatchObject({ reason })
    })

    test('leaves out all but the first line of a reason: signed headers may follow', async () => {
      const error = serviceError('InvalidSignatureException', 400)
      error.message = 'The signature does not match\n\nx-amz-security-token:SECRET'
      expect(await callWith(error)).toMatchObject({
        reason: 'InvalidSignatureException: The signature does not match',
      })
    })

    test('is unavailable if the table has other keys', async () => {
      const error = serviceError('ValidationException', 400)
      error.message = 'The provided key element does not match the schema'
      expect(await callWith(error)).toMatchObject({
        mayHaveApplied: false,
        reason: 'ValidationException: The provided key element does not match the schema',
      })
    })

    test('names no secret of the request in its message', async () => {
      const thrown = await callWith(serviceError('ThrottlingException', 400))
      expect(thrown).toMatchObject({ message: 'The store is unavailable: ThrottlingException' })
    })
  })
})

describe('the log of failures', () => {
  const SECOND = 1_000_000_000n

  const ADDRESS = { table: 'nope', region: 'eu-central-1' }

  const setUp = () => {
    const lines: unknown[] = []
    const logger: Logger = {
      ...silentLogger,
      warn: (...line) => void lines.push(['warn', ...line]),
      error: (...line) => void lines.push(['error', ...line]),
    }
    const clock = createManualClock(0n)
    const log = createFailureLog(clock, logger)
    const fail = async (isThrottled = false): Promise<void> => {
      const error = new StoreUnavailable('x', { mayHaveApplied: false, isThrottled, reason: 'no such table' })
      log.failed(error, async () => ADDRESS)
      // the address is looked up before the line is written
      await new Promise(setImmediate)
    }
    return { clock, lines, fail }
  }

  test('logs the first failure, and then at most one a minute with their number', async () => {
    const { clock, lines, fail } = setUp()
    for (let turn = 0; turn < 5; turn++) await fail()
    const fields = { ...ADDRESS, reason: 'no such table' }
    expect(lines).toEqual([['error', 'store unavailable', { ...fields, failures: 1 }]])
    clock.pass(60n * SECOND - 1n)
    await fail()
    expect(lines).toHaveLength(1)
    clock.pass(1n)
    await fail()
    expect(lines[1]).toEqual(['error', 'store unavailable', { ...fields, failures: 6 }])
  })

  test('warns of throttling apart from it', async () => {
    const { lines, fail } = setUp()
    await fail(true)
    await fail(true)
    await fail()
    const fields = { ...ADDRESS, reason: 'no such table', failures: 1 }
    expect(lines).toEqual([
      ['warn', 'store throttled', fields],
      ['error', 'store unavailable', fields],
    ])
  })
})
