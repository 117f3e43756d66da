import { statfs } from 'node:fs/promises'
import type { Server } from 'node:http'
import dynalite from 'dynalite'
import type { Item, ItemDb, Store } from 'dynalite/db/index.js'
import db from 'dynalite/db/index.js'
import type { StreamRecord } from '../usage/stream-usage.ts'
import { guardDisk } from './disk-guard.ts'

/** A completed write. Writes of one item are reported in order. */
export interface ItemWrite {
  readonly old: Item | undefined
  /** Undefined: deleted. */
  readonly new: Item | undefined
}

export interface TapOptions {
  /** A directory; undefined: in memory. */
  readonly path: string | undefined
  /** Only writes of this table are reported. */
  readonly tableName: string
  /** Whether an item is reported. The old images of others are not read. */
  readonly isWanted: (item: Item) => boolean
  readonly onWrite: (write: ItemWrite) => void
}

const notFound = (error: Error | null): boolean => error === null || error.name === 'NotFoundError'

/** dynalite calls `put` and `del` while it holds the key's lock, so no write comes between the read of the old image and the write. */
const tapItems = (items: ItemDb, { isWanted, onWrite }: TapOptions): ItemDb => ({
  ...items,
  put(key, item, done) {
    if (!isWanted(item)) return items.put(key, item, done)
    items.get(key, (readError, old) => {
      if (!notFound(readError)) return done(readError)
      items.put(key, item, (error) => {
        if (!error) onWrite({ old, new: item })
        done(error)
      })
    })
  },
  del(key, done) {
    items.get(key, (readError, old) => {
      if (!notFound(readError)) return done(readError)
      items.del(key, (error) => {
        if (!error && old !== undefined && isWanted(old)) onWrite({ old, new: undefined })
        done(error)
      })
    })
  },
})

const tapStore = (store: Store, options: TapOptions): Store => {
  const tapped = new WeakMap<ItemDb, ItemDb>()
  return {
    ...store,
    getItemDb(tableName) {
      const items = store.getItemDb(tableName)
      if (tableName !== options.tableName) return items
      const tap = tapped.get(items) ?? tapItems(items, options)
      tapped.set(items, tap)
      return tap
    },
  }
}

/** LevelDB writes far less than this to open a database. */
const ROOM_BYTES = 1_048_576

const hasRoom = async (path: string): Promise<boolean> => {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize >= ROOM_BYTES
}

/**
 * dynalite has no streams and no hook for writes: `db.create` creates its store, and is replaced while the server is
 * created. `test/embedded/engine.engine.test.ts` fails if another version of dynalite differs.
 * Throws if the data cannot be opened.
 */
export const createTappedDynalite = async (options: TapOptions): Promise<Server> => {
  const { create } = db
  const stores: Store[] = []
  db.create = (created) => {
    const store = tapStore(create(created), options)
    stores.push(store)
    return store
  }
  try {
    const server = dynalite({
      ...(options.path === undefined ? {} : { path: options.path }),
      createTableMs: 0,
    })
    const [store] = stores
    if (store === undefined) throw new Error('dynalite no longer makes its store with db.create')
    const { path } = options
    if (path !== undefined)
      guardDisk(store.db, { hasRoom: () => hasRoom(path), nowMs: () => performance.now() })
    await store.db.open()
    return server
  } finally {
    db.create = create
  }
}

/** Writes that wait for the aggregator, as stream records. */
export interface WriteFeed {
  add(write: ItemWrite): void
  /** Delivers the waiting records now. */
  flush(): void
  stop(): void
}

export interface WriteFeedOptions {
  readonly onRecords: (records: readonly StreamRecord[]) => void
  /** How long records are collected, in ms. */
  readonly gatherMs: number
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number
}

/** Collects records. Their times never decrease, which the hours of the aggregator require. */
export const createWriteFeed = ({ onRecords, gatherMs, nowMs }: WriteFeedOptions): WriteFeed => {
  let waiting: StreamRecord[] = []
  let lastMs = 0
  let sequence = 0
  const flush = (): void => {
    if (waiting.length === 0) return
    const records = waiting
    waiting = []
    onRecords(records)
  }
  const timer = setInterval(flush, gatherMs)
  return {
    add({ old, new: image }) {
      lastMs = Math.max(lastMs, nowMs())
      sequence += 1
      const { PK, SK } = image ?? old ?? {}
      waiting.push({
        dynamodb: {
          ...(PK && SK ? { Keys: { PK, SK } } : {}),
          ...(old ? { OldImage: old } : {}),
          ...(image ? { NewImage: image } : {}),
          SequenceNumber: String(sequence),
          ApproximateCreationDateTime: lastMs / 1000,
        },
      })
    },
    flush,
    stop() {
      clearInterval(timer)
      flush()
    },
  }
}
