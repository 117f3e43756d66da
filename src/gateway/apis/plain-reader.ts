import type { StreamReader } from './wire-api.ts'

/** Of APIs that have no streams: if an upstream streams nevertheless, everything is sent and nothing is counted. */
export const createPlainReader = (): StreamReader => ({
  read: ({ data }) => (data.trim() === '' ? 'drop' : 'send'),
  failure: () => undefined,
  isComplete: () => true,
  hasOutput: () => false,
  usage: () => undefined,
  inputUsage: () => undefined,
  takeText: () => '',
  ending: '',
})
