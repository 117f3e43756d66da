import { expect, test } from 'vitest'
import { send } from '../../../src/http/node/outgoing.ts'
import { startServer } from '../../support/loopback-server.ts'

const CONTEXT = { requestId: 'req_1', nodeId: null, crossOrigin: undefined, completed: undefined }

/** Every value of a byte, `times` over. */
const allBytes = (times: number): Uint8Array => Uint8Array.from({ length: 256 * times }, (_, at) => at % 256)

test.each([
  ['a short body', allBytes(1)],
  ['a part of a larger buffer', allBytes(3).subarray(200, 700)],
  ['a body too long to be copied', allBytes(100)],
])('sends every byte of %s as it is', async (_, bytes) => {
  const { origin } = await startServer((_, response) => {
    void send(response, CONTEXT, { status: 200, headers: { 'content-type': 'application/json' }, bytes })
  })
  const response = await fetch(origin)
  expect(response.headers.get('content-length')).toBe(String(bytes.byteLength))
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
})
