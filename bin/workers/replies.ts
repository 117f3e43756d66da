/** Waits for answers from another process, which come by the number of the question. */
export interface Replies<T> {
  /** Resolves to the answer to what `ask` asked, or to undefined where none has come in time. */
  to(ask: (request: number) => void): Promise<T | undefined>
  arrived(request: number, answer: T): void
}

export const createReplies = <T>(patienceMs: number): Replies<T> => {
  const waiting = new Map<number, (answer: T | undefined) => void>()
  let last = 0
  return {
    to: (ask) =>
      new Promise((resolve) => {
        const request = ++last
        const settle = (answer: T | undefined): void => {
          clearTimeout(late)
          waiting.delete(request)
          resolve(answer)
        }
        const late = setTimeout(() => settle(undefined), patienceMs)
        waiting.set(request, settle)
        ask(request)
      }),
    arrived: (request, answer) => waiting.get(request)?.(answer),
  }
}
