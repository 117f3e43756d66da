import { invalidArgument } from './invalid-argument.ts'

/** A key as text: the number 42 is the key '42'. Throws `TypeError` for what is neither text nor a finite number. */
export const checkedKey = (key: unknown): string => {
  if (typeof key === 'string') return key
  if (typeof key === 'number' && Number.isFinite(key)) return String(key)
  throw invalidArgument('key', 'be a text or a finite number')
}
