/** The latest bytes of a stream. Positions count from the stream's beginning. */
export interface ByteWindow {
  /** Adds the next bytes, and forgets those before `from`. */
  append(chunk: Uint8Array, from: number): void
  /** The position behind the last byte. */
  end(): number
  /** undefined: it is behind the end. */
  byteAt(position: number): number | undefined
  /** Replaces what is not UTF-8. */
  text(from: number, to: number): string
  /** The bytes themselves, which never change. */
  slice(from: number, to: number): Buffer
}

/** In bytes. An event of the usual size that arrives in small chunks is collected without growing. */
const MIN_SIZE = 1024

/**
 * The window is the last chunk itself if no older bytes are needed. Otherwise it is a buffer of its own, whose size doubles, so
 * that a stream takes linear time in chunks of any size.
 */
export const createByteWindow = (): ByteWindow => {
  let buffer: Buffer = Buffer.alloc(0)
  let [base, length] = [0, 0]
  let isOwn = false

  const grow = (chunk: Uint8Array, from: number): void => {
    const kept = base + length - from
    const needed = kept + chunk.length
    const larger = Buffer.allocUnsafe(isOwn ? 2 * needed : Math.max(needed, MIN_SIZE))
    buffer.copy(larger, 0, from - base, length)
    larger.set(chunk, kept)
    buffer = larger
    base = from
    length = needed
    isOwn = true
  }

  return {
    append(chunk, from) {
      if (from === base + length) {
        buffer = asBuffer(chunk)
        base = from
        length = chunk.length
        isOwn = false
      } else if (isOwn && length + chunk.length <= buffer.length) {
        // slices end before `length`: their bytes stay
        buffer.set(chunk, length)
        length += chunk.length
      } else grow(chunk, from)
    },
    end: () => base + length,
    byteAt: (position) => (position < base + length ? buffer[position - base] : undefined),
    text: (from, to) => buffer.toString('utf8', from - base, to - base),
    slice: (from, to) => buffer.subarray(from - base, to - base),
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
