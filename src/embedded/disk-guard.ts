import type { Callback, Database } from 'dynalite/db/index.js'

export interface DiskGuardOptions {
  /** Whether the disk has free space again. */
  readonly hasRoom: () => Promise<boolean>
  /** Monotonic, ms. */
  readonly nowMs: () => number
}

/** The interval between two attempts to reopen a failed database. */
const RETRY_MS = 1_000

/**
 * Keeps an engine running when its disk is full or fails. dynalite throws such errors, which would end the thread; here
 * they become DynamoDB's InternalServerError.
 *
 * After a failed write LevelDB's log may end in half a record, and everything appended after it would be lost at the next
 * start. Therefore no write is accepted until the database has been reopened, which is attempted once there is free space.
 * Reads continue.
 */
export const guardDisk = (database: Database, { hasRoom, nowMs }: DiskGuardOptions): void => {
  const { put, del, batch, get } = bound(database)
  let failure: Error | undefined
  let repairing: Promise<void> | undefined
  let triedAtMs = Number.NEGATIVE_INFINITY

  const reopen = async (): Promise<void> => {
    if (!(await hasRoom())) return
    // after dynalite's own `close` the database cannot be opened again
    await (database.close._original ?? database.close).call(database)
    await database.open()
    failure = undefined
  }
  const repair = (): Promise<void> => {
    if (repairing === undefined && nowMs() - triedAtMs >= RETRY_MS) {
      triedAtMs = nowMs()
      repairing = reopen()
        .catch((error: unknown) => {
          failure = asError(error)
        })
        .finally(() => {
          repairing = undefined
        })
    }
    return repairing ?? Promise.resolve()
  }
  const write = (run: (done: Callback) => void, done: Callback): void => {
    if (failure === undefined) {
      run((error) => {
        if (!error) return done(error)
        failure = error
        triedAtMs = nowMs()
        return done(internalError(error))
      })
      return
    }
    const broken = failure
    void repair().then(() => {
      // on the next turn of the event loop, so that an exception in `done` does not count as a failed repair
      setImmediate(() => (failure === undefined ? write(run, done) : done(internalError(broken))))
    })
  }
  Object.assign(database, {
    put: (key: string, value: unknown, done: Callback) => write((then) => put(key, value, then), done),
    del: (key: string, done: Callback) => write((then) => del(key, then), done),
    batch: (operations: readonly unknown[], done: Callback) => write((then) => batch(operations, then), done),
    get: (key: string, done: (error: Error | null, value?: unknown) => void) =>
      get(key, (error, value) => done(error && internalError(error), value)),
  })
}

const bound = (database: Database): Pick<Database, 'put' | 'del' | 'batch' | 'get'> => ({
  put: database.put.bind(database),
  del: database.del.bind(database),
  batch: database.batch.bind(database),
  get: database.get.bind(database),
})

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** A response as dynalite sends it: status and body. A missing item is not a failure. */
const internalError = (error: Error): Error =>
  error.name === 'NotFoundError' || 'statusCode' in error
    ? error
    : Object.assign(new Error(error.message, { cause: error }), {
        statusCode: 500,
        body: {
          __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError',
          message: `the data of DATA_DIR cannot be read or written: ${reasonOf(error)}`,
        },
      })

const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? reasonOf(error.cause) : error.message
