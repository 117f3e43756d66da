import type { StreamReader } from '../../../src/gateway/apis/wire-api.ts'

/** Reads events whose data are objects (written as JSON) or texts; `event` is the name of those that have one. */
export const readAll = (
  reader: StreamReader,
  events: readonly (string | { readonly type?: unknown } | object)[],
): readonly ('send' | 'drop' | 'end')[] =>
  events.map((data) =>
    reader.read({
      name: typeof data === 'object' && 'type' in data ? String(data.type) : undefined,
      data: typeof data === 'string' ? data : JSON.stringify(data),
    }),
  )
