/** Calls `send` `count` times, at most `parallelism` at once, until `signal` says stop. Rejects as the first that does. */
export const runRequests = async (
  { count, parallelism }: { readonly count: number; readonly parallelism: number },
  signal: AbortSignal,
  send: () => Promise<void>,
): Promise<void> => {
  let left = count
  const worker = async () => {
    while (left > 0 && !signal.aborted) {
      left--
      await send()
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelism, count) }, worker))
}
