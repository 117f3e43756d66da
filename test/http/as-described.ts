import * as v from 'valibot'
import { expect } from 'vitest'
import type { TestResponse } from './test-app.ts'

/** The response body, which must have this status and match `schema` without further fields. */
export const asDescribed = <S extends v.GenericSchema>(
  { status, body }: TestResponse,
  schema: S,
  expectedStatus = 200,
): v.InferOutput<S> => {
  expect({ status, body }).toMatchObject({ status: expectedStatus })
  const described = v.parse(schema, body)
  expect(body).toEqual(described)
  return described
}
