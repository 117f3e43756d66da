import { expect, test } from 'vitest'
import { mostTokens } from '../../src/gateway/request-tokens.ts'

test.each([
  ['the default if none is given', {}, 16],
  ['the default if all are null', { max_tokens: null, max_completion_tokens: null }, 16],
  ['the older name', { max_tokens: 50 }, 50],
  ['the newer name', { max_completion_tokens: 50 }, 50],
  ['the larger of both, in either order', { max_tokens: 4000, max_completion_tokens: 1 }, 4000],
  ['the larger of both', { max_tokens: 1, max_completion_tokens: 4000 }, 4000],
  ['the name of other routes', { max_output_tokens: 4000, max_tokens: 1 }, 4000],
  ['as many for each choice', { max_tokens: 3, max_completion_tokens: 5, n: 4 }, 20],
  ['no other bound that is no number', { max_output_tokens: 'many', max_tokens: 3 }, 3],
  ['the default beside one that is no bound', { max_output_tokens: -1 }, 16],
  ['a whole number, whatever is named', { max_output_tokens: 1e300, n: 128 }, 128_000_000_000],
])('the most tokens are %s', (_, request, most) => {
  expect(mostTokens({ model: 'm', messages: [], ...request }, 16)).toBe(most)
})
