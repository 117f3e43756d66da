import { expect, test } from 'vitest'
import { isLocalEndpoint } from '../../src/compose/connect.ts'

test.each([
  'http://localhost:4566',
  'http://127.0.0.1:8000',
  'http://[::1]:8000',
  'http://localstack:4566',
  'http://dynamodb.localhost:4566',
  'http://localhost.:8000',
  'http://127.255.1.2:8000',
  'http://localhost.localstack.cloud:4566',
])('%s is local', (endpoint) => {
  expect(isLocalEndpoint(endpoint)).toBe(true)
})

test.each([
  undefined,
  '',
  'https://dynamodb.eu-west-1.amazonaws.com',
  'https://localhost.example.com',
  'http://10.0.0.1:8000',
  'http://127.0.0.1.example.com',
  'http://2130706433.example',
])('%s is not local', (endpoint) => {
  expect(isLocalEndpoint(endpoint)).toBe(false)
})
